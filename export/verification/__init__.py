"""Whether exported files answer as the model does."""
