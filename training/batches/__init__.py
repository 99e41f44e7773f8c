"""Batches of labelled and of unlabelled texts."""
