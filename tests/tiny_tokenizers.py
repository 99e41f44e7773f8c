"""Texts, and tokenizers trained on them, that the tests of the tokenizer share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.text.tokenizer import Tokenizer

TEXTS = [
    "A fine film, and finely played.",
    "The plot is thin;<br /><br />the players are not.",
    "Dull, dull, dull... I left early!!!!!",
    "Ein schöner Film, ein großes Spiel.",
]


def train(
    texts: Sequence[str] = TEXTS,
    *,
    seed: int = 0,
    cache: bool = False,
    progress: Callable[[str], None] | None = None,
    **settings: Any,
) -> Tokenizer:
    config = TokenizerConfig(**settings)
    return Tokenizer.train(texts, config, seed=seed, cache=cache, progress=progress)


@functools.cache
def tokenizer_of(piece_type: str) -> Tokenizer:
    """A tokenizer of `TEXTS`, made once; none of its methods changes it."""
    return train(piece_type=piece_type, vocab_size=300)
