"""Which words of a text decide its class."""
