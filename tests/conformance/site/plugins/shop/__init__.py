"""The tricky shop of the tests."""
