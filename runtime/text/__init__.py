"""Texts to token ids, whole and in pieces, and tokens to words."""
