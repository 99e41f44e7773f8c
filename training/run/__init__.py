"""A training from the settings to the finished run folder."""
