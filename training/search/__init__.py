"""Many trainings: the search for settings, and one setting varied."""
