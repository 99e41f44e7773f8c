"""The commands that the pages name exist, with the options and the choices that they have there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import textrnn
from textrnn.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
PAGES.remove(ROOT / "CHANGELOG.md")  # It also names what has gone.
COMPARISON = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(textrnn\s[^`]+)`")
_END = re.compile(r"\s#.*|\s[|>&]+(\s.*|$)|;$")
"""A comment, or a pipe, after a command."""
_PLACEHOLDER = re.compile(r"requires an argument|'(\.\.\.|[A-Z]+)' is not one of")
"""The errors about an option whose value a page leaves out, or replaces by a word like CELL."""


def commands(page: str) -> Iterator[list[str]]:
    """Yields the words of each command of textrnn, in blocks of code and in sentences."""
    for block in _BLOCK.findall(page):
        for line in block.replace("\\\n", " ").splitlines():
            if found := re.search(r"(?:^|[\s/])(textrnn\s.*)", line):
                words = shlex.split(_END.sub("", found[1]))
                if len(words) > 1:
                    yield words
    for text in _INLINE.findall(_BLOCK.sub("", page)):
        yield shlex.split(text)


def problem(words: list[str]) -> str:
    """Returns why the command line refuses a command; a sentence may leave arguments out."""
    group, *rest = words[1:]
    try:
        context = click.Context(main, **main.context_settings)
        command = main.get_command(context, group)
        assert command is not None, f"there is no command {group}"
        command.make_context(group, rest, parent=context)
    except (click.exceptions.Exit, click.MissingParameter):
        return ""
    except (AssertionError, click.ClickException) as error:
        return "" if _PLACEHOLDER.search(str(error)) else f"{words}: {error}"
    return ""


def jobs() -> list[list[str]]:
    """Returns the cells of each row of the comparison: the job, textrnn, the five peers."""
    rows = (line.strip("| ").split(" | ") for line in COMPARISON.splitlines())
    return [row for row in rows if len(row) == 7 and row[0] != "job"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_accepted(page):
    found = map(problem, commands(page.read_text(encoding="utf-8")))
    assert list(filter(None, found)) == []


def test_every_job_of_the_comparison_is_done_by_a_command_or_a_name_of_textrnn():
    assert len(jobs()) > 40
    for row in jobs():
        (code,) = re.findall(r"`([^`]+)`", row[1])
        if code.startswith("textrnn."):
            assert hasattr(textrnn, code.split(".")[1])
        else:
            assert code.startswith("textrnn ")


def test_each_cell_of_a_peer_begins_with_one_of_the_three_answers():
    for row in jobs():
        for cell in row[2:]:
            assert re.match(r"\*\*yes\*\*|by hand|no\b", cell), cell
