"""Readers of Azure: Resource Graph for nearly everything, direct lists for what it does not hold."""
