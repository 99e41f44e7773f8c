"""Epoch after epoch: schedules, validation and checkpoints."""
