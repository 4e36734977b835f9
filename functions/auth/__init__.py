"""Identity: people sign in here and get the tokens that every function verifies."""
