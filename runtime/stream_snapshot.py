"""A text that is being read, as bytes, so that another process can continue to read it."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import ModelError

__all__ = ["StateArrays", "StreamSnapshot"]

StateArrays = list[np.ndarray]
"""The state of B texts as arrays `[B, ...]`: everything a model remembers of what it has read."""


@dataclass(frozen=True)
class StreamSnapshot:
    """Everything that is known of a text that is being read.

    >>> snapshot = StreamSnapshot("digest", [np.zeros([1, 2])], tokens=3, words=None)
    >>> StreamSnapshot.from_bytes(snapshot.to_bytes(), digest="digest", arrays=1).tokens
    3

    Attributes:
        digest: The digest of the model that reads the text.
        state: The state of the model, arrays `[1, ...]`.
        tokens: How many tokens were read.
        words: The state of the text's `TokenStream`: the characters held back, whether they are
            inside of a word, and the bytes that are not yet a character. None if the text came as
            ids.
    """

    digest: str
    state: StateArrays
    tokens: int
    words: tuple[str, bool, bytes] | None

    def to_bytes(self) -> bytes:
        """Returns the snapshot as bytes."""
        held_text, inside, undecoded = self.words or ("", False, b"")
        about = {
            "digest": self.digest,
            "tokens": self.tokens,
            "held": held_text,
            "inside": inside,
            "undecoded": undecoded.hex(),
            "words": self.words is not None,
        }
        content = io.BytesIO()
        arrays: dict[str, Any] = {"about": np.array(json.dumps(about))}
        arrays |= {f"memory_{i}": array for i, array in enumerate(self.state)}
        np.savez(content, **arrays)
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, *, digest: str, arrays: int) -> StreamSnapshot:
        """Reads what `to_bytes` returned.

        Args:
            content: The bytes.
            digest: The digest of the model that will continue to read.
            arrays: The number of arrays of the model's state.

        Raises:
            ModelError: The bytes are no complete snapshot, or belong to another model.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                about = json.loads(str(stored["about"]))
                state = [stored[f"memory_{i}"] for i in range(arrays)]
            stored_digest, tokens = about["digest"], int(about["tokens"])
            words = (str(about["held"]), bool(about["inside"]), bytes.fromhex(about["undecoded"]))
            has_words = bool(about["words"])
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"expected a stream's state, got other bytes ({error}).") from None
        if stored_digest != digest:
            raise ModelError("the state is that of another model; read the text again.")
        return cls(digest, state, tokens, words if has_words else None)
