"""Notices for the user about the vocabulary that was learned from the texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sentencepiece

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.runtime.text.scripts import unsegmented_share
from textrnn.text.vocabulary_size import count_characters

__all__ = ["vocabulary_notices"]

_FEW_UNKNOWN = 0.001
"""The share of unknown characters up to which there is no notice."""

_FEW_UNSEGMENTED = 0.1
"""The share of words in text without spaces up to which there is no notice."""


def vocabulary_notices(
    chunks: Sequence[str],
    config: TokenizerConfig,
    *,
    pieces: Sequence[str],
    rules: sentencepiece.SentencePieceNormalizer,
) -> Iterator[str]:
    """Yields one sentence, without the full stop, for each fact that may surprise the user.

    Args:
        chunks: The texts that the vocabulary was learned from.
        config: The settings.
        pieces: The vocabulary.
        rules: The normalisation.
    """
    if config.vocab_size is not None and len(pieces) < config.vocab_size:
        yield (
            f"the texts gave {len(pieces):,} pieces, fewer than the {config.vocab_size:,} of "
            "`vocab_size`"
        )
    if config.piece_type == "byte":
        return
    if config.piece_type == "word":
        share = unsegmented_share(chunks)
        if share > _FEW_UNSEGMENTED:
            yield (
                f"{share:.0%} of the words are in scripts without spaces between words and will "
                "be unknown; choose the `piece_type` unigram or char"
            )
        return
    characters = count_characters(rules.normalize(chunk) for chunk in chunks)
    unknown = characters.keys() - set().union(*pieces)
    occurrences, total = sum(characters[c] for c in unknown), sum(characters.values())
    if occurrences > _FEW_UNKNOWN * total:
        yield (
            f"{len(unknown):,} of {len(characters):,} characters are rare, "
            f"{occurrences / total:.1%} of the text, and will be unknown"
        )
