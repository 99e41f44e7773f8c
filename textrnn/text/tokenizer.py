"""The tokenizer: a SentencePiece model that turns texts into ids and back.

The pieces are learned from the training texts in one of these ways:

    unigram   a unigram language model over pieces, pruned by EM (Kudo 2018, arXiv:1804.10959)
    bpe       byte-pair encoding: frequent neighbours are merged (Sennrich et al. 2016,
              arXiv:1508.07909)
    char      the most frequent characters
    byte      the 256 bytes of UTF-8; nothing is learned, and nothing is ever unknown
    word      the most frequent words; a run of other words is one unknown piece

SentencePiece implements them (Kudo & Richardson 2018, arXiv:1808.06226). Id 0 is padding and never
comes out of a text, id 1 is the unknown piece; there are no begin and end marks. The rules of
`textrnn.text.normalization` are part of the model.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import sentencepiece

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ModelError
from textrnn.host.atomic import write_atomically
from textrnn.runtime.text.encoder import Encoder
from textrnn.text.normalization import configured_normalizer
from textrnn.text.piece_training import RECIPE, learn_pieces
from textrnn.text.tokenizer_cache import cache_model, cached_model_path
from textrnn.text.training_sample import training_chunks
from textrnn.text.vocabulary_notices import vocabulary_notices
from textrnn.text.vocabulary_size import MOST_PIECES

__all__ = ["Tokenizer"]

# Appended to a model, because the last value of a field counts in a protocol buffer:
# normalizer_spec { escape_whitespaces: false }.
_PLAIN_SPACES = b"\x1a\x02\x28\x00"


class Tokenizer(Encoder):
    """Turns texts into ids with a SentencePiece model, which it can learn from texts.

    `textrnn.runtime.text.encoder.Encoder` encodes and decodes; this class learns, loads and saves.
    A tokenizer never changes, and several threads may call its methods at the same time.

    >>> from textrnn.config.classifier import TokenizerConfig
    >>> texts = ["the film was great", "the play was bad"] * 20
    >>> tokenizer = Tokenizer.train(texts, TokenizerConfig(piece_type="word"), cache=False)
    >>> tokenizer.pieces("The play was great!")
    ['▁the', '▁play', '▁was', '▁great', '▁!']
    >>> ids = tokenizer.encode("The play was great!")
    >>> ids[-1] == Tokenizer.UNK
    True
    >>> tokenizer.decode(ids)
    'the play was great ⁇ '
    """

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        config: TokenizerConfig,
        *,
        most_pieces: int = MOST_PIECES,
        seed: int = 0,
        cache: bool = True,
        progress: Callable[[str], None] | None = None,
    ) -> Tokenizer:
        """Learns the pieces of a corpus; the same arguments give the same model, byte for byte.

        Training runs outside Python and cannot be interrupted.

        Args:
            texts: The training texts, of any length; a random sample of `config.sample_chars`
                characters is used.
            config: The settings. A small corpus may have fewer pieces than the `vocab_size` that
                is given.
            most_pieces: The largest vocabulary that is chosen if `vocab_size` is not given.
            seed: The seed of the random sample.
            cache: Whether to look for the model in the user's cache folder (or in the folder that
                the environment variable TEXTRNN_CACHE_DIR names) first, and to store it there.
            progress: Called with a message when training starts or the cache is read, then with
                one message for each notice about the pieces.

        Raises:
            ConfigError: `vocab_size` is given and too small for the characters of the texts, or
                `piece_type` is word and most texts have no spaces between words.
            DataError: The texts hold no characters to learn from.
        """
        report = progress or (lambda message: None)
        rules = configured_normalizer(config)
        chunks = training_chunks(texts, config, seed=seed, rules=rules)
        path = cached_model_path(
            chunks,
            {**config.to_dict(), "most_pieces": most_pieces, "seed": seed, "recipe": RECIPE},
            rules=rules.serialized_normalizer_spec(),
        )
        tokenizer = cls._cached(path) if cache else None
        if tokenizer is not None:
            report("reading the tokenizer from the cache")
        else:
            report(f"training the tokenizer on {sum(map(len, chunks)):,} characters")
            tokenizer = cls._learn(chunks, config, rules=rules, most_pieces=most_pieces)
            if cache:
                cache_model(path, tokenizer.to_bytes())
        if progress is not None:
            pieces = [tokenizer.id_to_piece(id) for id in range(tokenizer.vocab_size)]
            for notice in vocabulary_notices(chunks, config, pieces=pieces, rules=rules):
                report(f"note: {notice}.")
        return tokenizer

    @classmethod
    def _cached(cls, path: Path) -> Tokenizer | None:
        try:
            return cls.load(path)
        except ModelError:
            return None

    @classmethod
    def _learn(
        cls,
        chunks: list[str],
        config: TokenizerConfig,
        *,
        rules: sentencepiece.SentencePieceNormalizer,
        most_pieces: int,
    ) -> Tokenizer:
        model = learn_pieces(
            chunks,
            config,
            rules=rules,
            pad_id=cls.PAD,
            unk_id=cls.UNK,
            most_pieces=most_pieces,
        )
        if config.piece_type == "byte":
            plain = sentencepiece.SentencePieceProcessor(model_proto=model + _PLAIN_SPACES)
            model = plain.serialized_model_proto()
        return cls(model)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tokenizer:
        """Reads a tokenizer from the file that `save` wrote.

        Raises:
            ModelError: The file is missing or cannot be read, or it is not a whole SentencePiece
                model with padding as id 0 and the unknown piece as id 1.
        """
        try:
            return cls(Path(path).read_bytes())
        except OSError as error:
            raise ModelError(
                f"{path}: expected a readable tokenizer file, got: {error.strerror or error}; "
                "check the path."
            ) from error
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error

    @classmethod
    def from_bytes(cls, model: bytes) -> Tokenizer:
        """Reads a tokenizer from the bytes that `to_bytes` returned.

        Raises:
            ModelError: The bytes are not a whole SentencePiece model with padding as id 0 and the
                unknown piece as id 1.
        """
        return cls(model)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the SentencePiece model; a kill at any moment leaves the old file or the new one.

        Raises:
            ModelError: The file cannot be written.
        """
        try:
            write_atomically(path, self.to_bytes())
        except OSError as error:
            raise ModelError(
                f"{path}: expected a writable file for the tokenizer, got: "
                f"{error.strerror or error}; check the folder and the free space."
            ) from error
