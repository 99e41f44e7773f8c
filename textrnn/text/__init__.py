"""From texts to tokens: normalization, scripts, tokenizers, word vectors."""
