"""The network in NumPy: token ids to logits, whole texts and texts in pieces."""
