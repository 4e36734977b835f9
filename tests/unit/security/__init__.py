"""security tests."""
