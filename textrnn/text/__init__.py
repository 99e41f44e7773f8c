"""Converts texts to tokens: normalisation, scripts, tokenizers, word vectors."""
