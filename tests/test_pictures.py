import io
import logging
from pathlib import Path

import matplotlib
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager, image
from matplotlib.figure import Figure

from textrnn import pictures
from textrnn.pictures import make_plain, png

SHIPPED = matplotlib.get_data_path()
NAMES = [
    "reviews $100_to_$200",
    "$x$",
    "\\$a $ ^_{",
    "rev\udcff",
    "评论",
    "tab\tnew\nline\x00\x1b",
    "עברית العربية हिन्दी 😀",
    "long name " * 40,
    "",
]


def figure(name: str) -> Figure:
    """A picture with the name wherever a name can be."""
    made = Figure(figsize=(9, 3.6), layout="constrained")
    made.suptitle(name)
    axes = made.subplots()
    axes.plot([1, 2], [1e-3, 1], label=f"of {name}")
    axes.set(xlabel=name, ylabel=name, title=name, yscale="log")
    axes.text(1, 1, name)
    axes.legend(title=name)
    return made


def pixels(content: bytes):
    return image.imread(io.BytesIO(content))


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_drawn_without_a_word(name, caplog, capfd):
    with caplog.at_level(logging.WARNING):
        assert pixels(png(figure(name))).shape == (360, 900, 4)
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_what_stands_between_dollars_is_no_mathematics():
    plain, mathematics = (png(figure(name)) for name in ("a $x$ b", "a x b"))
    assert plain != mathematics
    made = figure("a $x$ b")
    assert [words.get_text() for words in make_plain(made)].count("a $x$ b") == 6
    assert not any(words.get_parse_math() for words in make_plain(made))


def test_the_numbers_at_an_axis_stay_as_they_are():
    """Those of a logarithmic axis are mathematics."""
    made = figure("name")
    made.draw_without_rendering()
    png(made)
    assert r"$\mathdefault{10^{-2}}$" in [
        label.get_text() for label in made.axes[0].get_yticklabels()
    ]
    assert all(label.get_parse_math() for label in made.axes[0].get_yticklabels())


LETTER = "\U00012000"
"""A letter of Cuneiform."""


@pytest.fixture
def fonts(monkeypatch):
    """The fonts of a machine that has none but matplotlib's own, to which a test may add."""
    shipped = [f for f in font_manager.fontManager.ttflist if f.fname.startswith(SHIPPED)]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", shipped)
    caches = (pictures._installed, pictures._fallback_families)
    for cache in caches:
        cache.cache_clear()
    yield font_manager.fontManager
    for cache in caches:
        cache.cache_clear()


def make_font(path: Path, family: str) -> Path:
    """A font of one letter, a black box."""
    pen = TTGlyphPen(None)
    for move, point in zip(
        (pen.moveTo, pen.lineTo, pen.lineTo, pen.lineTo),
        [(0, 0), (0, 1000), (1000, 1000), (1000, 0)],
        strict=True,
    ):
        move(point)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box"])
    builder.setupCharacterMap({ord(LETTER): "box"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "box": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "box": (1000, 0)})
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(usWeightClass=400)
    builder.setupPost()
    builder.save(path)
    return path


def test_a_letter_that_no_font_has_is_replaced(fonts):
    assert png(figure(f"a{LETTER}")) == png(figure("a\ufffd"))


@pytest.mark.thorough
def test_a_font_of_the_machine_draws_what_matplotlib_s_own_cannot(fonts, tmp_path):
    fonts.addfont(make_font(tmp_path / "box.ttf", "One Box"))
    drawn, missing = (pixels(png(figure(f"a{last}"))) for last in (LETTER, "\ufffd"))
    assert (drawn != missing).any()
    assert drawn[:20, :, 0].sum() < missing[:20, :, 0].sum(), "a black box is darker"


def test_a_font_that_cannot_be_read_is_passed_over(fonts, tmp_path):
    path = make_font(tmp_path / "box.ttf", "A Broken Box")
    fonts.addfont(path)
    path.write_bytes(b"")
    assert png(figure(f"a{LETTER}")) == png(figure("a\ufffd"))
