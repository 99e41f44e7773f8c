"""Measures a classifier on labelled texts."""
