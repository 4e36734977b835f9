"""Readers of Google Cloud: one client of Cloud Asset Inventory reads whatever there is."""
