"""The file of the costs of answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from textrnn.errors import DataError
from textrnn.evaluation.cost_matrix import read_cost_matrix

LABELS = ("ham", "spam")


def written(tmp_path: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = tmp_path / "costs.csv"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize(
    "text",
    ["true,ham,spam\nham,0,10\nspam,1,0\n", "\ufeff, spam ,ham\n\nspam,0,1\nham,10.0,0\n,,\n"],
)
def test_the_labels_may_have_any_order(tmp_path: Path, text: str) -> None:
    assert read_cost_matrix(written(tmp_path, text), LABELS) == ((0, 10), (1, 0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "got an empty file"),
        ("true,ham\nham,0\nspam,1\n", "header: expected each label .* got none for spam"),
        ("true,ham,spam\nham,0,1\n", "first column: .* got none for spam"),
        ("true,ham,spam,eggs\nham,0,1,2\nspam,1,0,2\n", "header: .* got also eggs"),
        ("true,ham,spam\nham,0,1\nspam,1,0\nham,0,1\n", "first column: .* got one of them twice"),
        ("true,ham,spam\nham,0\nspam,1,0\n", "row 'ham': expected 3 cells as in the header, got 2"),
        ("true,ham,spam\nham,0,-1\nspam,1,0\n", "row 'ham', column 'spam': .* got '-1'"),
        ("true,ham,spam\nham,0,inf\nspam,1,0\n", "cost of at least 0, got 'inf'"),
        ("true,ham,spam\nham,0,x\nspam,1,0\n", "cost of at least 0, got 'x'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_cost_matrix(written(tmp_path, text), LABELS)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a cost matrix, got: No such file"):
        read_cost_matrix(tmp_path / "none.csv", LABELS)
    with pytest.raises(DataError, match="expected CSV in UTF-8"):
        read_cost_matrix(written(tmp_path, "true,ä\n", encoding="latin-1"), LABELS)
