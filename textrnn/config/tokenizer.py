"""The settings of the tokenizer."""

from __future__ import annotations

from dataclasses import dataclass

from textrnn.config.choices import NORMALIZATIONS, PIECE_TYPES
from textrnn.config.section import Section, setting

__all__ = ["TokenizerConfig"]


@dataclass(frozen=True)
class TokenizerConfig(Section):
    """The conversion of texts to token ids."""

    piece_type: str = setting(
        "unigram",
        "SentencePiece model: unigram or bpe for sub-words, char, byte, or word for whole words.",
        choices=PIECE_TYPES,
    )
    normalization: str = setting(
        "nfkc",
        "Normalization of the text: Unicode's NFKC, or plain, which changes only ASCII case and "
        "white space and which a graph can do without TF Text.",
        choices=NORMALIZATIONS,
    )
    vocab_size: int | None = setting(
        None,
        "Number of pieces, or auto: one piece for 20 words of the texts (100 of a script without "
        "spaces), between 1,000 and 16,000, fewer with few texts of a class, and more if the "
        "characters alone need more.  "
        "[default: auto]",
        minimum=8,
    )
    lowercase: bool = setting(True, "Fold upper and lower case together.")
    sample_chars: int = setting(
        10_000_000,
        "Largest number of characters of training text from which the tokenizer is trained.",
        minimum=1,
    )
