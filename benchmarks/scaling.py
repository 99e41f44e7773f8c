"""One worker and two, each on a core of its own, with the same batches: speed-up and equal losses.

    python benchmarks/scaling.py --cell mingru --cell lstm

The workers are processes of this machine that talk over the loopback interface. The time is that
of the last of `--epochs` epochs, without tracing; nothing is dropped, so that the losses can be
compared.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import click
from interleave import print_table

QUIET_TRAINING = (
    "--dropout 0 --embedding-dropout 0 --word-dropout 0 --patience 0 --max-length 256 --no-test"
)


def ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for listener in sockets:
        listener.bind(("127.0.0.1", 0))
    numbers = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return numbers


def train(workers: int, run: Path, options: list[str]) -> list[dict[str, float]]:
    """Trains with several workers and returns the history."""
    shutil.rmtree(run, ignore_errors=True)
    run.parent.mkdir(parents=True, exist_ok=True)
    addresses = [f"127.0.0.1:{port}" for port in ports(workers)]
    cores = sorted(os.sched_getaffinity(0))
    processes = []
    for index in range(workers):
        environment = dict(os.environ)
        if workers > 1:
            task = {"type": "worker", "index": index}
            cluster = {"cluster": {"worker": addresses}, "task": task}
            environment["TF_CONFIG"] = json.dumps(cluster)
        command = ["taskset", "-c", str(cores[index]), sys.executable, "-m", "textrnn", "train"]
        command += [*QUIET_TRAINING.split(), *options, "--output", str(run)]
        log = run.with_name(f"{run.name}.{index}.log").open("w")
        processes.append(
            subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        )
    for process in processes:
        if process.wait():
            raise click.ClickException(f"a worker failed; see {run.parent}")
    with (run / "history.csv").open() as file:
        return [{name: float(v) for name, v in row.items()} for row in csv.DictReader(file)]


@click.command()
@click.option("--cell", "cells", multiple=True, default=("mingru", "lstm"), show_default=True)
@click.option("--epochs", default=2, show_default=True)
@click.option("--rounds", default=2, show_default=True)
@click.option("--batch-texts", default=64, show_default=True)
@click.option("--batch-tokens", default=16384, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("runs/scaling"))
def main(
    cells: tuple[str, ...],
    epochs: int,
    rounds: int,
    batch_texts: int,
    batch_tokens: int,
    output: Path,
) -> None:
    """Trains on BBC News with one worker and with two, in turn."""
    rows = []
    for cell in cells:
        options = ["--cell", cell, "--epochs", str(epochs)]
        options += ["--batch-texts", str(batch_texts), "--batch-tokens", str(batch_tokens)]
        speeds: dict[int, list[float]] = {1: [], 2: []}
        losses: dict[int, list[float]] = {}
        for _ in range(rounds):
            for workers in (1, 2):
                history = train(workers, output / f"{cell}{workers}", options)
                speeds[workers].append(history[-1]["tokens_per_second"])
                losses[workers] = [row["train_loss"] for row in history]
        ratios = sorted(two / single for single, two in zip(speeds[1], speeds[2], strict=True))
        pairs = zip(losses[1], losses[2], strict=True)
        rows.append(
            {
                "cell": cell,
                "1 worker, tokens/s": f"{max(speeds[1]):,.0f}",
                "2 workers, tokens/s": f"{max(speeds[2]):,.0f}",
                "speed-up": f"{ratios[0]:.2f}x to {ratios[-1]:.2f}x",
                "losses": ", ".join(f"{loss:.4f}" for loss in losses[1]),
                "largest difference": f"{max(abs(a - b) for a, b in pairs):.1e}",
            }
        )
    print_table(rows, csv_file=None, title="BBC News, 256 tokens a text at most")


if __name__ == "__main__":
    main()
