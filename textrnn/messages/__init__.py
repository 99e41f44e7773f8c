"""Words, counts and names in messages."""
