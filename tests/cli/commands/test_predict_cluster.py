"""`textrnn predict --cluster`."""

import csv
import json
from pathlib import Path

import pytest
from light_models import random_pair

from textrnn.data.stores import as_path

TEXTS = ["a fine film", "dull", "", "we like it"] * 3


@pytest.fixture
def run(tmp_path):
    random_pair(tmp_path / "run", cell="gru", bidirectional=True)
    return tmp_path / "run"


@pytest.fixture
def table(home):
    with (home / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *enumerate(TEXTS)])
    return "in.csv"


@pytest.mark.parametrize(
    "arguments",
    [
        ("x",),
        ("--file", "in.csv"),
        ("-", "--output", "out"),
        ("--file", "in.csv", "--output", "out", "--json"),
        ("--file", "in.csv", "--output", "out", "--uncertain", "2"),
    ],
)
def test_options_that_do_not_suit_a_cluster(textrnn, run, table, arguments):
    result = textrnn("predict", run, *arguments, "--cluster", "local", code=2)
    assert "--cluster needs --file" in result.stderr or "--cluster cannot be" in result.stderr
    assert not Path("out").exists()


def test_a_wrong_address_or_folder_is_told_before_anything_starts(textrnn, run, table):
    command = ("predict", run, "--file", table)
    wrong = textrnn(*command, "--output", "out", "--cluster", "here", code=1)
    assert "--cluster must be auto, local or ray://HOST:PORT, got 'here'" in wrong.stderr
    wrong = textrnn(*command, "--output", "out.csv", "--cluster", "local", code=1)
    assert "out.csv: expected a folder" in wrong.stderr
    assert not Path("out").exists()


@pytest.mark.process
def test_a_cluster_writes_what_one_process_writes(textrnn, run, table, home):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    command = ("predict", run, "--file", table, "--top-k", "2")
    textrnn(*command, "--output", "one.csv")
    # The address of a store, which is this disk: workers and driver open it by fsspec.
    output = as_path(f"file://{home}/out")
    result = textrnn(*command, "--output", output, "--cluster", "local")
    assert "12 rows written to file:///" in result.stderr
    assert (home / "out" / "part-000000.csv").read_bytes() == (home / "one.csv").read_bytes()
    assert json.loads((home / "out" / "_SUCCESS").read_text()) == {"rows": 12, "parts": 1}
    again = textrnn(*command, "--output", output, "--cluster", "local", code=1)
    assert "got the parts of a finished job; choose another --output" in again.stderr
