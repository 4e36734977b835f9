"""The customer's journey, run again and again against a suite that serves customers (ADR-0033)."""
