"""Kills workers, machines and drivers of a training on a cluster; the weights must stay the same.

    python benchmarks/cluster_training.py train.csv

Two workers that are started by hand train a classifier with --deterministic. Then a cluster of
three Ray nodes on this machine trains the same one: a head without cores and two nodes of one core
each. After every few checkpoints a command of a worker is killed (SIGKILL), or a process of Ray
that watches one, or the node of the chief with all its processes (another one joins), or the
driver, whose job is continued by --resume, or the head, after which the command fails and is
continued on another cluster. The table tells the restarts, the updates that were made
more than once, and whether the digests of the weights are equal. A language model follows, which
one worker trains.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import psutil
from cluster_kills import Driver, Nodes, kill_head
from interleave import print_table
from scaling import ports

WATCHED = "textrnn.host.parent_watch"
COUNTER = '''
"""minGRU; the chief writes a byte into a file beside the run folder at each update."""
import json, os, sys
import keras
import textrnn
from textrnn.training.update.language_model_step import LanguageModelStep
from textrnn.training.update.step import Step

@keras.saving.register_keras_serializable(package="counted")
class Counted(textrnn.MinGRUCell):
    """minGRU under another name."""

TASK = json.loads(os.environ.get("TF_CONFIG", "{}")).get("task", {})
if "--output" in sys.argv and not TASK.get("index"):
    FILE = sys.argv[sys.argv.index("--output") + 1] + ".updates"
    for kind in (Step, LanguageModelStep):
        def call(self, *arguments, original=kind.__call__, **named):
            with open(FILE, "a") as file:
                file.write("x")
            return original(self, *arguments, **named)
        kind.__call__ = call
'''
"""A cell of its own, because a module with a cell is imported by all workers."""


ENDING_SECONDS = 30.0
"""Time after which a process of a training that has ended counts as left over."""


def commands_of(run: Path) -> list[psutil.Process]:
    """The processes that train into a folder, the chief's first."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if WATCHED in (words := process.cmdline()) and run.name in words:
                task = json.loads(process.environ().get("TF_CONFIG", "{}")).get("task", {})
                found[task.get("index", 0)] = process
        except (psutil.Error, OSError):
            continue
    return [found[rank] for rank in sorted(found)]


def newest(run: Path) -> int:
    """The number of updates in the newest checkpoint."""
    names = [path.stem.partition("-")[2] for path in run.glob("checkpoints/update-*.npz")]
    return max(map(int, names), default=0)


def strike(kind: str, nodes: Nodes, driver: Driver, run: Path) -> bool:
    """Kills one thing; tells whether it was there."""
    if kind == "driver":
        return driver.kill()
    if kind == "head":
        return kill_head(nodes, driver)
    workers = commands_of(run)
    if not workers:
        return False
    if kind == "node of the chief":
        nodes.kill_node_of(workers[0])
    elif kind == "watching process":
        workers[-1].parents()[0].kill()
    else:
        workers[0 if kind == "chief" else -1].kill()
    return True


def struck(
    command: list[str], run: Path, *, kinds: tuple[str, ...], kills: int, checkpoints: int
) -> tuple[Counter[str], float]:
    """Trains while processes are killed; the kills, and the seconds."""
    done, nodes = Counter[str](), Nodes()
    begin, last, seen = time.monotonic(), 0, 0
    driver = Driver(command, nodes.address, run.with_suffix(".log"), home=run.parent)
    try:
        while driver.process.poll() is None:
            time.sleep(0.05)
            if (update := newest(run)) > last:
                last, seen = update, seen + 1
            if kinds and seen >= checkpoints and sum(done.values()) < kills:
                time.sleep(1.0)  # Updates since the checkpoint.
                kind = kinds[sum(done.values()) % len(kinds)]
                if driver.process.poll() is None and strike(kind, nodes, driver, run):
                    done[kind], seen, last = done[kind] + 1, 0, newest(run)
        seconds = time.monotonic() - begin
        if driver.process.returncode:
            raise click.ClickException(driver.log.read_text()[-2000:])
    finally:
        driver.process.kill()
        nodes.close()
    return done, seconds


def by_hand(command: list[str], run: Path, *, workers: int) -> float:
    """Trains by workers that are started by hand; the seconds."""
    addresses = [f"127.0.0.1:{port}" for port in ports(workers)]
    begin, processes = time.monotonic(), []
    for index in range(workers):
        environment = dict(os.environ)
        if workers > 1:
            task = {"type": "worker", "index": index}
            environment["TF_CONFIG"] = json.dumps({"cluster": {"worker": addresses}, "task": task})
        with run.with_name(f"{run.name}.{index}.log").open("w") as log:
            processes.append(
                subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=run.parent)
            )
    codes = [process.wait() for process in processes]
    if any(codes):
        raise click.ClickException(f"a worker failed; see {run.parent}")
    return time.monotonic() - begin


def digest(run: Path) -> str:
    """The digest of the weights."""
    return str(json.loads((run / "digests.json").read_text())["sha256"]["model.weights.h5"])


def updates(run: Path) -> int:
    """The number of updates that chiefs have made, also those that were lost."""
    return run.with_name(f"{run.name}.updates").stat().st_size


JOBS: dict[str, list[tuple[str, tuple[str, ...]]]] = {
    "train": [
        ("nothing", ()),
        ("commands", ("worker", "chief")),
        ("watching processes", ("watching process",)),
        ("nodes of the chief", ("node of the chief",)),
        ("drivers", ("driver",)),
        ("heads", ("head",)),
        ("in turn", ("worker", "node of the chief", "driver")),
    ],
    "pretrain": [
        ("nothing", ()),
        ("heads", ("head",)),
        ("in turn", ("worker", "node of the chief", "driver")),
    ],
}


def rows_of(
    command: str, typed: list[str], folder: Path, *, kills: int, checkpoints: int, only: str
) -> Iterator[dict[str, Any]]:
    """Yields the rows of the table for a command: by hand, then on the cluster."""
    workers = 2 if command == "train" else 1
    start = [sys.executable, "-m", "textrnn", command, *typed, "--output"]
    hand = folder / f"{command}_by_hand"
    seconds = by_hand([*start, hand.name], hand, workers=workers)
    for number, (name, kinds) in enumerate(JOBS[command]):
        if only not in name:
            continue
        run = folder / f"{command}_{number}"
        on_cluster = [*start, run.name, "--cluster", "auto"]
        if workers > 1:
            on_cluster += ["--workers", str(workers)]
        done, spent = struck(on_cluster, run, kinds=kinds, kills=kills, checkpoints=checkpoints)
        # A process that was interrupted ends after its checkpoint.
        psutil.wait_procs(commands_of(run), timeout=ENDING_SECONDS)
        log = run.with_suffix(".log").read_text()
        yield {
            "command": command,
            "killed": name,
            "kills": sum(done.values()),
            "restarts": log.count("starting all workers again") + done["driver"] + done["head"],
            "updates": updates(hand),
            "repeated": updates(run) - updates(hand),
            "weights equal": "yes" if digest(run) == digest(hand) else "NO",
            "left over": len(commands_of(run)) + (run / ".workers").exists(),
            "seconds": spent,
            "by hand": seconds,
        }


@click.command(help=__doc__)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rows", default=300, show_default=True, help="Rows of the file that are used.")
@click.option("--epochs", default=30, show_default=True)
@click.option("--kills", default=3, show_default=True, help="Kills of one job, at the most.")
@click.option("--checkpoints", default=2, show_default=True, help="Checkpoints between two kills.")
@click.option("--only", default="", help="Only the jobs with this in the second column.")
@click.option("--command", "commands", multiple=True, default=tuple(JOBS), show_default=True)
@click.option("--folder", default=Path("runs/cluster_training"), type=click.Path(path_type=Path))
def main(
    file: Path,
    rows: int,
    epochs: int,
    kills: int,
    checkpoints: int,
    only: str,
    commands: tuple[str, ...],
    folder: Path,
) -> None:
    """Trains by hand, trains under kills, and compares."""
    folder = folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with file.open(newline="", encoding="utf-8") as source:
        table = [row for row, _ in zip(csv.reader(source), range(rows + 1), strict=False)]
    with (folder / "texts.csv").open("w", newline="", encoding="utf-8") as target:
        csv.writer(target).writerows(table)
    (folder / "counted_cell.py").write_text(COUNTER)
    common = "--import counted_cell --cell counted>Counted --units 8 --embedding-units 8 "
    common += "--vocab-size 200 --deterministic --checkpoint-minutes 0.03 --epochs"
    options = {
        "train": "--train-file texts.csv --batch-texts 16 --patience 0 --no-linear-baseline",
        "pretrain": "--text-file texts.csv --streams 4 --segment 16",
    }
    results = []
    for command in commands:
        typed = [*options[command].split(), *common.split(), str(epochs)]
        for row in rows_of(command, typed, folder, kills=kills, checkpoints=checkpoints, only=only):
            results.append(row)
            print(row, flush=True)
    print_table(results, csv_file=folder / "cluster_training.csv", title=f"{rows} texts")
    whole = all(row["weights equal"] == "yes" and not row["left over"] for row in results)
    print("all weights are equal" if whole else "SOMETHING DIFFERS")
    sys.exit(0 if whole and any(row["kills"] for row in results) else 1)


if __name__ == "__main__":
    main()
