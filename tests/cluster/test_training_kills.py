"""Trainings whose workers, nodes and drivers are killed; see benchmarks/cluster_training.py."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import labelled_texts, write_csv

ROOT = Path(__file__).parents[2]
KINDS = ("worker", "node of the chief", "driver")


@pytest.mark.slow
@pytest.mark.parametrize(("command", "epochs"), [("train", 12), ("pretrain", 300)])
def test_the_weights_are_those_of_workers_by_hand(tmp_path, command, epochs):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    data = write_csv(tmp_path / "texts.csv", labelled_texts(200))
    script = [sys.executable, str(ROOT / "benchmarks" / "cluster_training.py"), str(data)]
    script += ["--command", command, "--only", "in turn", "--folder", str(tmp_path / "kills")]
    script += ["--epochs", str(epochs), "--kills", str(len(KINDS)), "--checkpoints", "1"]
    done = subprocess.run(script, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all weights are equal" in done.stdout
    with (tmp_path / "kills" / "cluster_training.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (int(row["kills"]), row["weights equal"], row["left over"]) == (3, "yes", "0")
    (log,) = (tmp_path / "kills").glob(f"{command}_[0-9].log")
    assert "starting all workers again" in log.read_text()
    assert "raylet" not in log.read_text()  # Ray's own words are not for the user.
