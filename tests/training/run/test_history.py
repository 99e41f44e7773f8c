import csv
import struct
from pathlib import Path

import pytest

from textrnn.training.run.history import draw_curves, write_history

HISTORY = [
    {
        "epoch": epoch,
        "train_loss": 1 / epoch,
        "train_accuracy": 0.5,
        "valid_loss": 0.1 + 0.2,
        "valid_accuracy": 0.25 * epoch,
    }
    for epoch in (1, 2, 3)
]


def test_the_table_holds_every_figure_exactly(tmp_path):
    write_history(tmp_path / "history.csv", HISTORY)
    content = (tmp_path / "history.csv").read_bytes()
    assert content.startswith(b"epoch,train_loss,train_accuracy,valid_loss,valid_accuracy\n1,1.0,")
    assert b"\r" not in content
    rows = list(csv.DictReader(content.decode().splitlines()))
    assert [{name: float(value) for name, value in row.items()} for row in rows] == HISTORY


def test_the_first_rows_may_lack_a_column(tmp_path):
    write_history(tmp_path / "history.csv", [HISTORY[0], {**HISTORY[1], "progress": 0.5}])
    rows = list(csv.DictReader((tmp_path / "history.csv").read_text().splitlines()))
    assert [row["progress"] for row in rows] == ["", "0.5"]


def test_the_table_is_replaced_as_it_grows(tmp_path):
    for epochs in (1, 2):
        write_history(tmp_path / "history.csv", HISTORY[:epochs])
        assert len((tmp_path / "history.csv").read_text().splitlines()) == 1 + epochs


def png_size(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert content.endswith(b"IEND\xaeB`\x82")
    return struct.unpack(">II", content[16:24])


@pytest.mark.parametrize("epochs", [1, 3])
def test_the_picture_is_a_png_of_some_size(tmp_path, epochs):
    draw_curves(tmp_path / "curves.png", HISTORY[:epochs], title="$letters_1 & more")
    width, height = png_size(tmp_path / "curves.png")
    assert width > 600
    assert height > 200


def test_the_picture_shows_the_figures(tmp_path):
    changed_history = [{**row, "valid_loss": row["valid_loss"] + 1} for row in HISTORY]
    for name, history in [("one", HISTORY), ("two", HISTORY), ("other", changed_history)]:
        draw_curves(tmp_path / name, history, title="letters")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()
