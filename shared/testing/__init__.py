"""Stand-ins that pass the same contracts as the real ports; never imported by a function."""
