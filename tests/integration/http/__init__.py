"""http tests with real servers."""
