"""The models: a text classifier and a language model."""
