"""One module per scanner: `scan(root)` returns what it does not like below a folder, or raises that it could not look."""
