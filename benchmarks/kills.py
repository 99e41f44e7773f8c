"""Kills one training many times, at random moments; its weights are those of an undisturbed one.

    python benchmarks/kills.py --data-dir DIR --kills 100

Both train a short IMDb configuration. Half of the kills (SIGKILL) strike while a process starts
and reads its data, half up to `--training-seconds` after it has begun to train; each time the same
command is started again.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import click

SETTINGS = (
    "--dataset imdb --max-length 96 --vocab-size 4000 --units 32 --embedding-units 32 "
    "--cell mingru --batch-texts 32 --patience 0 --ema 0.99 --deterministic "
    "--checkpoint-minutes 0.01 --resume-or-start"
)


def start(run: Path, data_dir: str, epochs: int) -> subprocess.Popen:
    """Starts the training, or resumes it."""
    command = [sys.executable, "-m", "textrnn", "train", *SETTINGS.split()]
    command += ["--epochs", str(epochs), "--data-dir", data_dir, "--output", str(run)]
    run.parent.mkdir(parents=True, exist_ok=True)
    with run.with_suffix(".log").open("a") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def wait_for_training(process: subprocess.Popen, log: Path, seen: int, limit: float) -> float:
    """Seconds until a line says that training begins, `limit` at the most."""
    begin = time.monotonic()
    while time.monotonic() - begin < limit and process.poll() is None:
        if log.read_text().count("training ") - log.read_text().count("training the") > seen:
            break
        time.sleep(0.05)
    return time.monotonic() - begin


def digest(run: Path) -> str:
    return str(json.loads((run / "digests.json").read_text())["sha256"]["model.weights.h5"])


@click.command()
@click.option("--data-dir", required=True, help="Folder of prepared TFDS data sets.")
@click.option("--kills", default=100, show_default=True)
@click.option("--epochs", default=8, show_default=True)
@click.option("--training-seconds", default=8.0, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("runs/kills"))
def main(
    data_dir: str, kills: int, epochs: int, training_seconds: float, seed: int, output: Path
) -> None:
    """Trains undisturbed, trains under kills, and compares."""
    os.environ["TEXTRNN_CACHE_DIR"] = str(output / "cache")
    whole, struck = output / "whole", output / "struck"
    begin = time.monotonic()
    process = start(whole, data_dir, epochs)
    starting = wait_for_training(process, whole.with_suffix(".log"), 0, 600.0)
    if process.wait():
        raise click.ClickException(whole.with_suffix(".log").read_text())
    seconds = time.monotonic() - begin
    print(f"undisturbed: {seconds:.0f} s, of which {starting:.0f} s to the first update")
    rng = random.Random(seed)
    log = struck.with_suffix(".log")
    done = while_training = 0
    begin = time.monotonic()
    while done < kills:
        process = start(struck, data_dir, epochs)
        if rng.random() < 0.5:
            time.sleep(rng.uniform(0.0, starting))
        else:
            seen = log.read_text().count("training ") - log.read_text().count("training the")
            wait_for_training(process, log, seen, 600.0)
            time.sleep(rng.uniform(0.0, training_seconds))
            while_training += 1
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        done += 1
        if done % 10 == 0:
            print(f"{done} kills, {time.monotonic() - begin:.0f} s", flush=True)
    process = start(struck, data_dir, epochs)
    if process.wait():
        raise click.ClickException(log.read_text())
    is_equal = digest(whole) == digest(struck)
    print(
        f"{done} kills, {while_training} of them while it trained: the weights are "
        f"{'equal, bit for bit' if is_equal else 'DIFFERENT'} ({digest(struck)[:16]})"
    )
    sys.exit(0 if is_equal else 1)


if __name__ == "__main__":
    main()
