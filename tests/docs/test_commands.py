"""The commands that the pages name exist, with the options and the choices that they have there."""

import re
import shlex

import pytest
from doc_blocks import PAGES, ROOT, problem

import textrnn

COMPARISON = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(textrnn\s[^`]+)`")


def jobs() -> list[list[str]]:
    """Returns the cells of each row of the comparison: the job, textrnn, the five peers."""
    rows = (line.strip("| ").split(" | ") for line in COMPARISON.splitlines())
    return [row for row in rows if len(row) == 7 and row[0] != "job"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_a_sentence_is_accepted(page):
    """Those in blocks are parsed by `test_blocks.py`."""
    sentences = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    found = (problem(shlex.split(text)) for text in _INLINE.findall(sentences))
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
