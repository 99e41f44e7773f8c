"""The words and numbers of messages."""
