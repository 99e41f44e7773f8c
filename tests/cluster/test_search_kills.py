"""Searches on a cluster under kills; see benchmarks/cluster_search.py."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiny import labelled_texts, write_csv

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("search", ["tune", "compare", "train"])
def test_no_run_is_lost_or_different(tmp_path, search):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    data = write_csv(tmp_path / "letters.csv", labelled_texts(200))
    command = [sys.executable, str(ROOT / "benchmarks" / "cluster_search.py"), "--only", search]
    command += ["--train-file", str(data), "--rows", "200", "--trials", "4", "--runs", "2"]
    command += ["--killed", "all of them", "--pause", "12", "--most", "4"]
    command += ["--folder", str(tmp_path / "kills")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all runs are there once, bit for bit" in done.stdout
