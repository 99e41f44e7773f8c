"""A labelling job whose workers, nodes and drivers are killed; see benchmarks/cluster_kills.py."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from light_models import random_pair
from tiny import labelled_texts

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_no_row_is_lost_or_doubled(tmp_path):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    random_pair(tmp_path / "run", cell="gru", bidirectional=True)
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text, _ in labelled_texts(300))])
    command = [sys.executable, str(ROOT / "benchmarks" / "cluster_kills.py"), str(tmp_path / "run")]
    command += ["--file", str(tmp_path / "in.csv"), "--files", "12", "--rows", "9000"]
    command += ["--pause", "3", "--most", "6", "--folder", str(tmp_path / "kills")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all rows are there once, bit for bit" in done.stdout
