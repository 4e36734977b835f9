"""What the tests share: accounts, recordings, comparisons. Holds no tests."""
