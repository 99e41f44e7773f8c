"""Pictures with words of the user in them, drawn as they stand, in fonts that have their letters.

matplotlib reads what stands between dollar signs as mathematics, and warns of each letter that its
own font does not have. The name of a file or of a label must cause neither.
"""

from __future__ import annotations

import functools
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib
from matplotlib import font_manager
from matplotlib.axis import Tick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

from textrnn.messages.shown import one_line

__all__ = ["make_plain", "png", "without_warnings"]

MOST_COLUMNS = 80
"""The width of one line of words; a wider one would not fit into a picture."""

_SUBSTITUTE = "\ufffd"


def png(figure: Figure) -> bytes:
    """The figure as PNG, its words drawn as they stand.

    Letters that matplotlib's own font does not have are drawn in other fonts of the machine, and
    as U+FFFD where no font has them.
    """
    picture = io.BytesIO()
    with without_warnings():
        for words in make_plain(figure):
            _choose_fonts(words)
        FigureCanvasAgg(figure)
        figure.savefig(picture, format="png")
    return picture.getvalue()


def make_plain(figure: Figure) -> list[Text]:
    """Has a figure draw its words as they stand, each on one line; the numbers at its axes stay.

    Returns:
        The words.
    """
    numbers = {id(label) for tick in figure.findobj(Tick) for label in (tick.label1, tick.label2)}
    found = [text for text in figure.findobj(Text) if id(text) not in numbers]
    for words in found:
        words.set_parse_math(False)
        words.set_text(one_line(words.get_text(), most=MOST_COLUMNS))
    return found


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keeps matplotlib from warning of fonts, and of letters that they do not have."""
    log = logging.getLogger("matplotlib.font_manager")
    before, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = before


def _choose_fonts(words: Text) -> None:
    own = list(words.get_fontfamily())
    families = [*own, *_other_families("".join(sorted(set(words.get_text()))), tuple(own))]
    words.set_fontfamily(families)
    words.set_text(
        "".join(c if _has(families, c) else _SUBSTITUTE for c in words.get_text()),
    )


def _has(families: Sequence[str], character: str) -> bool:
    return any(character not in _missing(family, character) for family in families)


@functools.cache
def _other_families(characters: str, own: tuple[str, ...]) -> tuple[str, ...]:
    """The installed families that together have the most of the characters that `own` has not."""
    left = characters
    for family in own:
        left = _missing(family, left)
    chosen: list[str] = []
    candidates: Sequence[str] = _installed() if left else ()
    while left and candidates:
        missing = {family: _missing(family, left) for family in candidates}
        best = min(missing, key=lambda family: len(missing[family]))
        if missing[best] == left:
            break
        chosen.append(best)
        left = missing[best]
        candidates = [family for family in candidates if missing[family] != left]
    return tuple(chosen)


def _missing(family: str, characters: str) -> str:
    """Those of the characters that a family has no glyph for; all of them if it cannot be read."""
    try:
        path = font_manager.findfont(FontProperties(family=[family]), fallback_to_default=False)
        font = font_manager.get_font(path)
        return "".join(c for c in characters if not font.get_char_index(ord(c)))
    except (OSError, RuntimeError, ValueError):
        return characters


@functools.cache
def _installed() -> tuple[str, ...]:
    """The families of the machine's fonts, plain ones first; matplotlib's special ones left out."""
    shipped = matplotlib.get_data_path()
    fonts = font_manager.fontManager.ttflist
    names = {font.name for font in fonts if not font.fname.startswith(shipped)}
    return tuple(sorted(names, key=lambda name: ("Sans" not in name, name)))
