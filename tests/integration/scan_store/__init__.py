"""What scans store, on a real database with the function's own login."""
