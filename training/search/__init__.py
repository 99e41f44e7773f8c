"""Searches over settings: many trainings, each in its own process."""
