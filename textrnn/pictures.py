"""Figures with user-supplied text, drawn literally and in fonts that have all of its characters.

matplotlib reads the text between dollar signs as mathematics, and warns about each character that
its default font lacks. The name of a file or of a label must do neither.
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
"""The largest width of a line; a wider one would not fit into a figure."""

_SUBSTITUTE = "\ufffd"


def png(figure: Figure) -> bytes:
    """Returns the figure as PNG, with its texts drawn literally.

    Characters that matplotlib's default font lacks are drawn in other fonts of the machine, and as
    U+FFFD if no font has them.
    """
    content = io.BytesIO()
    with without_warnings():
        for text in make_plain(figure):
            _choose_fonts(text)
        FigureCanvasAgg(figure)
        figure.savefig(content, format="png")
    return content.getvalue()


def make_plain(figure: Figure) -> list[Text]:
    """Makes a figure draw its texts literally and on one line each, except for its tick labels.

    Returns:
        The texts.
    """
    tick_labels = {
        id(label) for tick in figure.findobj(Tick) for label in (tick.label1, tick.label2)
    }
    texts = [text for text in figure.findobj(Text) if id(text) not in tick_labels]
    for text in texts:
        text.set_parse_math(False)
        text.set_text(one_line(text.get_text(), most=MOST_COLUMNS))
    return texts


@contextmanager
def without_warnings() -> Iterator[None]:
    """Silences matplotlib's warnings about fonts and missing characters."""
    log = logging.getLogger("matplotlib.font_manager")
    was_disabled, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = was_disabled


def _choose_fonts(text: Text) -> None:
    default = list(text.get_fontfamily())
    families = [*default, *_fallback_families("".join(sorted(set(text.get_text()))), *default)]
    text.set_fontfamily(families)
    text.set_text(
        "".join(c if _any_has(families, c) else _SUBSTITUTE for c in text.get_text()),
    )


def _any_has(families: Sequence[str], character: str) -> bool:
    return any(character not in _missing(family, character) for family in families)


@functools.cache
def _fallback_families(characters: str, *default: str) -> tuple[str, ...]:
    """Returns installed font families for the characters that the default families lack.

    Each next family is the one that has most of the characters that are still missing.
    """
    uncovered = characters
    for family in default:
        uncovered = _missing(family, uncovered)
    chosen: list[str] = []
    candidates: Sequence[str] = _installed() if uncovered else ()
    while uncovered and candidates:
        missing = {family: _missing(family, uncovered) for family in candidates}
        best = min(missing, key=lambda family: len(missing[family]))
        if missing[best] == uncovered:
            break
        chosen.append(best)
        uncovered = missing[best]
        candidates = [family for family in candidates if missing[family] != uncovered]
    return tuple(chosen)


def _missing(family: str, characters: str) -> str:
    """Returns the characters without a glyph in a font family; all if it cannot be read."""
    try:
        path = font_manager.findfont(FontProperties(family=[family]), fallback_to_default=False)
        font = font_manager.get_font(path)
        return "".join(c for c in characters if not font.get_char_index(ord(c)))
    except (OSError, RuntimeError, ValueError):
        return characters


@functools.cache
def _installed() -> tuple[str, ...]:
    """Returns the machine's font families without matplotlib's own, sans-serif fonts first."""
    shipped = matplotlib.get_data_path()
    fonts = font_manager.fontManager.ttflist
    names = {font.name for font in fonts if not font.fname.startswith(shipped)}
    return tuple(sorted(names, key=lambda name: ("Sans" not in name, name)))
