"""All SQL of the function."""
