"""Near-duplicates: texts that share most of their character n-grams with an earlier text.

Two texts are near-duplicates if they are equal but for case, punctuation and the digits of their
numbers, or if the sets of their character n-grams have a Jaccard similarity of at least
`SIMILARITY`. n is 3, and 6 for long texts, which share most triples of their language. MinHash
signatures (Broder 1997, "On the Resemblance and Containment of Documents") in a locality-sensitive
index, by datasketch, find the candidates, and the similarity of each candidate is computed exactly.
Of each group of near-duplicates the first `INDEXED` texts are in the index, so that a group of any
size costs a bounded number of comparisons per text.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Sequence

__all__ = ["MOST_TEXTS", "SIMILARITY", "near_duplicate_of"]

SIMILARITY = 0.8
"""The least Jaccard similarity of near-duplicates."""

MOST_TEXTS = 500_000
"""The largest number of texts that are compared: about 4 GB of memory, and three minutes."""

INDEXED = 10
"""The number of texts of a group with which later texts are compared."""

_SHORT, _LONG = 3, 6
"""The lengths of the n-grams of short and of long texts."""

_LONG_FROM = 200
"""The number of characters from which on a text is long. Texts of about this length are compared as
short ones and as long ones, so that no pair is between the two."""

_BANDS, _ROWS = 20, 6
"""A pair of similarity s is a candidate with probability `1 - (1 - s^6)^20`: 0.998 for 0.8."""

_BLOCK = 2000
"""The number of texts whose signatures are computed together."""

_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_SEPARATORS = re.compile(r"[\W_]+")


def near_duplicate_of(
    texts: Sequence[str], *, on_progress: Callable[[int], object] | None = None
) -> dict[int, int]:
    """Maps the place of each near-duplicate to the place of an earlier text that it resembles.

    Equal texts are near-duplicates too.

    >>> near_duplicate_of(["Order 1 is late.", "a film", "order 2 is late"])
    {2: 0}

    Args:
        texts: The texts.
        on_progress: Receives the number of texts of each block that is done.
    """
    found: dict[int, int] = {}
    first_places: dict[str, int] = {}
    for place, text in enumerate(texts):
        first = first_places.setdefault(_form(text), place)
        if first != place:
            found[place] = first
    pending = set(first_places.values())

    def on_block(places: list[int]) -> None:
        """Counts each text once, though some are compared as short and as long ones."""
        if on_progress is not None:
            on_progress(len(pending.intersection(places)))
        pending.difference_update(places)

    if on_progress is not None:
        on_progress(len(found))
    short = {p: form for form, p in first_places.items() if _SHORT <= len(form) < _LONG_FROM}
    long_from = round(SIMILARITY * _LONG_FROM)
    long = {p: form for form, p in first_places.items() if len(form) >= long_from}
    found |= _similar(short, size=_SHORT, on_block=on_block)
    found |= _similar(long, size=_LONG, on_block=on_block)
    return dict(sorted(found.items()))


def _similar(
    forms: dict[int, str], *, size: int, on_block: Callable[[list[int]], object]
) -> dict[int, int]:
    """Maps each place to the earlier place of the most similar form, if it is similar enough."""
    # Slow to import, and not needed by `textrnn --help`.
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))
    found: dict[int, int] = {}
    group_of: dict[int, int] = {}
    sizes: Counter[int] = Counter()
    places = list(forms)
    for start in range(0, len(places), _BLOCK):
        block = places[start : start + _BLOCK]
        sets = [_ngrams(forms[place], size) for place in block]
        signatures = MinHash.generator(
            ([ngram.encode("utf-8", "surrogatepass") for ngram in ngrams] for ngrams in sets),
            num_perm=_BANDS * _ROWS,
            hashfunc=zlib.crc32,
        )
        for place, ngrams, signature in zip(block, sets, signatures, strict=True):
            similar = [
                (similarity, -candidate)
                for candidate in index.query(signature)
                if (similarity := _jaccard(ngrams, _ngrams(forms[candidate], size))) >= SIMILARITY
            ]
            group_of[place] = place
            if similar:
                found[place] = -max(similar)[1]
                group_of[place] = group_of[found[place]]
            sizes[group_of[place]] += 1
            if sizes[group_of[place]] <= INDEXED:
                index.insert(place, signature, check_duplication=False)
        on_block(block)
    return found


def _form(text: str) -> str:
    """Returns a text without case and punctuation, and with 0 for each digit.

    A text without a letter keeps its digits and signs, which are all that it says.
    """
    folded = " ".join(text.casefold().split())
    if not _LETTER.search(folded):
        return folded
    return _SEPARATORS.sub(" ", _DIGIT.sub("0", folded)).strip()


def _ngrams(form: str, size: int) -> set[str]:
    return {form[start : start + size] for start in range(len(form) - size + 1)}


def _jaccard(first: set[str], second: set[str]) -> float:
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)
