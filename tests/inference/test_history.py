import pytest

from textrnn.inference.history import HISTORY, read_history


def test_a_row_has_the_figures_of_an_epoch(tmp_path):
    (tmp_path / HISTORY).write_text("epoch,valid_score,progress\n1,0.5,\n2,0.625,0.75\n")
    assert read_history(tmp_path) == [
        {"epoch": 1, "valid_score": 0.5},
        {"epoch": 2, "valid_score": 0.625, "progress": 0.75},
    ]


@pytest.mark.parametrize("content", [None, b"epoch\nfirst\n", b"\xff\xfe"])
def test_a_history_that_cannot_be_read_is_empty(tmp_path, content):
    if content is not None:
        (tmp_path / HISTORY).write_bytes(content)
    assert read_history(tmp_path) == []
