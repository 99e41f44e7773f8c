"""A server whose replicas, nodes and command are killed; see benchmarks/cluster_serving.py."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from light_models import random_pair
from tiny import labelled_texts

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_all_requests_are_answered_as_by_one_process(tmp_path):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    random_pair(tmp_path / "run", cell="gru", bidirectional=True)
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text, _ in labelled_texts(300))])
    command = [sys.executable, str(ROOT / "benchmarks" / "cluster_serving.py")]
    command += [str(tmp_path / "run"), "--file", str(tmp_path / "in.csv")]
    command += ["--only", "all of them", "--most", "3", "--folder", str(tmp_path / "kills")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "kills" / "cluster_serving.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert [row[name] for name in ("replicas", "nodes", "commands")] == ["1", "1", "1"]
    assert int(row["answered"]) > 100
