import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.cells import cell_len

from textrnn.messages.shown import markdown, one_line

NAMES = [
    "bbc_news",
    "reviews $100_to_$200",
    "a|b `c`",
    "[x](y) ![z](w) <b>&amp;</b>",
    "*bold* _it_ ~~no~~ __init__",
    "# heading",
    "- item",
    "+ item",
    "12. item",
    "3) item",
    "===",
    "back\\slash \\| \\`",
    "<!-- textrnn report -->",
    "评论",
]


def read(text: str) -> str:
    """Returns the text that a reader of the Markdown sees."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    (inline,) = (token for token in parser.parse(text) if token.type == "inline")
    return "".join(token.content for token in inline.children or [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\tb\n c\r\nd", "a b c d"),
        ("rev\udcff", "rev\ufffd"),
        ("a\x1b[31m\x00", "a\ufffd[31m\ufffd"),
        ("left\u202eright\u200b", "leftright"),
        ("评论 😀 größe", "评论 😀 größe"),
    ],
)
def test_a_text_becomes_one_line_that_can_be_drawn(text, line):
    assert one_line(text) == line


@pytest.mark.parametrize("text", ["long name " * 20, "评论" * 50])
def test_a_wide_line_is_cut(text):
    line = one_line(text, most=20)
    assert 18 < cell_len(line) <= 20
    assert line.endswith("…")
    assert one_line("short", most=5) == "short"


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_written_on_one_line(text):
    line = one_line(text, most=30)
    assert line.encode().decode() == line
    assert len(line.splitlines()) <= 1
    assert cell_len(line) <= 30


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("before", ["", "# ", "- ", "see "])
def test_markdown_shows_a_name_as_it_stands(name, before):
    assert read(before + markdown(name)).removeprefix("see ") == name


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stays_in_its_cell(name):
    table = f"| label | texts |\n|---|---|\n| {markdown(name)} | 3 |\n"
    cells = [t for t in MarkdownIt("commonmark").enable("table").parse(table) if t.type == "inline"]
    assert ["".join(c.content for c in cell.children or []) for cell in cells[2:]] == [name, "3"]


def test_plain_names_are_not_changed():
    for name in ("bbc_news", "sport", "12 monkeys", "a-b", "größe", "v1.2 (final)!"):
        assert markdown(name) == name
