"""One device or many: where updates and scores are computed."""
