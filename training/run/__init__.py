"""A whole training, from the settings to the run folder."""
