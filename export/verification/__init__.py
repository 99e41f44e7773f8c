"""Verification that exported files give the answers of the model."""
