"""All SQL of the function, one module per subject."""
