"""Predictions of a trained model, and the run folder from which it is loaded."""
