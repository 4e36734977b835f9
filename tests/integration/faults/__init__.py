"""What callers see while something that a function stands on is away."""
