"""Fixtures of the tests of texts and tokenizers."""

from __future__ import annotations

import pytest
from tiny_tokenizers import tokenizer_of

from textrnn.config.choices import PIECE_TYPES
from textrnn.text.tokenizer import Tokenizer


@pytest.fixture(scope="module", params=PIECE_TYPES)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    """A tokenizer of each kind of piece in turn."""
    return tokenizer_of(request.param)
