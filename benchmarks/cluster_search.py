"""Kills workers, nodes, trainings and commands of searches on a cluster; no run may differ.

    python benchmarks/cluster_search.py --train-file trec6/train.csv

One process tunes, varies a setting and trains folds, one training after the other on one core each.
Then a cluster of three Ray nodes on this machine does the same: a head without cores and two nodes
of one core each. At random moments a worker of Ray is killed (SIGKILL), or a node (its raylet and
all its workers; another one joins), or the process of a training, or the command, which is given
again. The table compares the files of all runs with those of the one process, bit by bit, and
counts the epochs that were trained again after they had ended.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from cluster_kills import Driver, Nodes, kill_head
from interleave import print_table

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.training.search.child import Training
from textrnn.training.search.placement import Placement

FILES = (
    *("model.weights.h5", "runtime.safetensors", "tokenizer.model", "labels.txt"),
    *("decisions.json", "config.yaml"),
)
"""The files of a run that do not depend on the clock."""

KINDS = ("worker", "training", "command", "node")

SETTINGS = (
    *("--cell", "gru", "--units", "8", "--embedding-units", "8", "--vocab-size", "200"),
    *("--no-bidirectional", "--window", "1", "--patience", "0", "--no-linear-baseline"),
)


@dataclass(frozen=True)
class Job:
    """A search.

    Attributes:
        name: Its name.
        arguments: The command and its options, without `--output`.
        runs: The pattern of its run folders, beside the folder of `--output`.
        log: The pattern of the log of a run folder.
        tables: Files that must be equal too, but for their columns of seconds.
    """

    name: str
    arguments: tuple[str, ...]
    runs: str
    log: str
    tables: tuple[str, ...] = ()

    def command(self, output: Path) -> list[str]:
        """The command."""
        return [sys.executable, "-m", "textrnn", *self.arguments, "--output", str(output)]

    def folders(self, output: Path) -> dict[str, Path]:
        """The run folders, by their names."""
        found = output.parent.glob(self.runs.format(output.name))
        return {folder.name: folder for folder in sorted(found) if folder.is_dir()}


def jobs(train_file: Path, *, epochs: int, trials: int, runs: int) -> list[Job]:
    """The three kinds of searches."""
    values = ",".join(f"{number / 10:g}" for number in range(runs))
    shared = ("--train-file", str(train_file), *SETTINGS, "--epochs", str(epochs))
    return [
        Job(
            "tune",
            (
                *("tune", *shared, "--trials", str(trials), "--workers", "2"),
                *("--time-budget", "9h", "--trial-budget", "off"),
            ),
            "{}/trials/*",
            "log.txt",
            ("{}/trials.csv",),
        ),
        Job(
            "compare --vary",
            ("compare", *shared, "--vary", f"dropout={values}", "--split", "validation"),
            "{}/dropout=*",
            "../{}.log",
        ),
        Job(
            "train --folds",
            ("train", *shared, "--folds", str(runs), "--no-final"),
            "{}_folds/fold-*",
            "../{}.log",
            ("{}_folds/folds.csv",),
        ),
    ]


def struck(
    job: Job, output: Path, *, kinds: tuple[str, ...], pause: float, most: int, seed: int
) -> tuple[Counter[str], float]:
    """Searches on a cluster while processes are killed; the kills, and the seconds."""
    rng, kills = random.Random(seed), Counter[str]()
    nodes = Nodes("_carry_out")
    begin = time.monotonic()
    log = output.with_suffix(".log")
    driver = Driver([*job.command(output), "--cluster", "auto"], nodes.address, log, again=())

    def kill_training(rng: random.Random) -> bool:
        trainings = nodes.processes("textrnn.host.parent_watch")
        if trainings:
            rng.choice(trainings).send_signal(signal.SIGKILL)
        return bool(trainings)

    strike: dict[str, Callable[[random.Random], bool]] = {
        "worker": nodes.kill_worker,
        "training": kill_training,
        "command": driver.kill,
        "node": nodes.kill_node,
        "head": lambda _: kill_head(nodes, driver),
    }
    try:
        while not nodes.processes("textrnn.host.parent_watch") and driver.process.poll() is None:
            time.sleep(0.2)
        while driver.process.poll() is None:
            time.sleep(rng.uniform(0.5, 1.5) * pause)
            if kinds and driver.process.poll() is None and sum(kills.values()) < most:
                kind = kinds[sum(kills.values()) % len(kinds)]
                kills[kind] += strike[kind](rng)
        seconds = time.monotonic() - begin
        if driver.process.returncode:
            raise click.ClickException(log.read_text()[-3000:])
    finally:
        driver.process.kill()
        nodes.close()
    return kills, seconds


def without_seconds(path: Path) -> list[dict[str, str]]:
    """The rows of a table, without what the clock says."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: value for name, value in row.items() if name != "seconds"}
            for row in csv.DictReader(file)
        ]


def same_run(one: Path, many: Path) -> bool:
    """Whether two runs have the same bits."""
    return all((one / name).read_bytes() == (many / name).read_bytes() for name in FILES)


def repeated(job: Job, folder: Path) -> int:
    """The epochs of a run that were trained again after they had ended."""
    text = (folder / job.log.format(folder.name)).read_text(encoding="utf-8")
    epochs = [line.split(":")[0] for line in text.splitlines() if line.startswith("epoch ")]
    return len(epochs) - len(set(epochs))


def row_of(job: Job, killed: str, kills: Counter[str], one: Path, many: Path) -> dict[str, Any]:
    """A row of the table: the runs of the cluster against those of the one process."""
    before, after = job.folders(one), job.folders(many)
    both = before.keys() & after.keys()
    tables = [
        (one.parent / t.format(one.name), one.parent / t.format(many.name)) for t in job.tables
    ]
    return {
        "search": job.name,
        "killed": killed,
        **{f"{kind}s": kills[kind] for kind in (*KINDS, "head")},
        "runs": len(after),
        "lost": len(before.keys() - after.keys()),
        "more": len(after.keys() - before.keys()),
        "other bits": sum(not same_run(before[name], after[name]) for name in both),
        "epochs again": sum(repeated(job, after[name]) for name in both),
        "tables": "equal" if all(map(equal_tables, tables)) else "DIFFERENT",
    }


def equal_tables(pair: tuple[Path, Path]) -> bool:
    """Whether two tables are equal but for their seconds."""
    return without_seconds(pair[0]) == without_seconds(pair[1])


def print_overhead(folder: Path) -> None:
    """Prints what a local cluster adds to trainings, which end at once here."""
    config = folder / "none.yaml"
    config.write_text("none: 1")  # An error of the user: the process ends when it has read it.
    begin = time.monotonic()
    with Placement("local").runner(ClassifierRunConfig()) as runner:
        print(f"room for {runner.parallel} runs, connected after {time.monotonic() - begin:.1f} s")
        for number in range(6):
            begin = time.monotonic()
            runner.start("run", Training(config, folder / "run", folder / "log"))
            _, ended = runner.next()
            added = time.monotonic() - begin - ended.seconds
            print(f"training {number}: {1000 * added:.0f} ms more than its process")
        begin = time.monotonic()
    print(f"closed after {time.monotonic() - begin:.1f} s")


@click.command(help=__doc__)
@click.option("--train-file", required=True, type=click.Path(path_type=Path))
@click.option("--rows", default=300, show_default=True, help="Rows of the file that are used.")
@click.option("--epochs", default=30, show_default=True)
@click.option("--trials", default=5, show_default=True)
@click.option("--runs", default=3, show_default=True, help="Values, and folds.")
@click.option("--pause", default=12.0, show_default=True, help="Seconds between two kills.")
@click.option("--most", default=8, show_default=True, help="Kills of one search, at the most.")
@click.option("--only", multiple=True, help="Only these searches: tune, compare, train.")
@click.option("--killed", "killed_only", multiple=True, help="Only these rows.")
@click.option("--seed", default=0, show_default=True)
@click.option("--overhead", is_flag=True, help="Only what a local cluster adds to a training.")
@click.option("--folder", default=Path("runs/cluster_search"), type=click.Path(path_type=Path))
def main(
    train_file: Path,
    rows: int,
    epochs: int,
    trials: int,
    runs: int,
    pause: float,
    most: int,
    only: tuple[str, ...],
    killed_only: tuple[str, ...],
    seed: int,
    overhead: bool,
    folder: Path,
) -> None:
    """Searches in one process, then on a cluster undisturbed and under kills, and compares."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder = folder.absolute()
    if overhead:
        print_overhead(folder)
        return
    with train_file.open(encoding="utf-8", newline="") as file:
        head = [row for _, row in zip(range(rows + 1), csv.reader(file), strict=False)]
    with (folder / "train.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(head)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    results = []
    for job in jobs(folder / "train.csv", epochs=epochs, trials=trials, runs=runs):
        if only and job.arguments[0] not in only:
            continue
        one = folder / f"{job.arguments[0]}-one"
        begin = time.monotonic()
        with one.with_suffix(".log").open("w") as log:
            command = [*job.command(one), "--worker-cores", "1"]
            subprocess.run(command, check=True, stdout=log, stderr=log)
        seconds = time.monotonic() - begin
        print(f"{job.name}: one process, {seconds:.0f} s", flush=True)
        for killed, kinds in (
            ("nothing", ()),
            *((f"{kind}s", (kind,)) for kind in (*KINDS, "head")),
            ("all of them", KINDS),
        ):
            if killed_only and killed not in killed_only:
                continue
            many = folder / f"{job.arguments[0]}-{killed.replace(' ', '_')}"
            kills, taken = struck(job, many, kinds=kinds, pause=pause, most=most, seed=seed)
            row = {
                **row_of(job, killed, kills, one, many),
                "seconds": taken,
                "one process": seconds,
            }
            results.append(row)
            print(results[-1], flush=True)
    print_table(results, csv_file=folder / "cluster_search.csv", title=f"{rows:,} rows")
    faults = ("lost", "more", "other bits")
    whole = all(row["tables"] == "equal" and not any(row[f] for f in faults) for row in results)
    print("all runs are there once, bit for bit" if whole else "RUNS DIFFER")
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
