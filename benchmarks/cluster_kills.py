"""Kills workers, nodes, drivers and heads of a labelling job; no row may be lost or doubled.

    python benchmarks/cluster_kills.py RUN --file texts.csv

The texts of the file, repeated, are written into Parquet files with an id per row. One process
labels them. Then a cluster of three Ray nodes on this machine labels them: a head without cores and
two nodes of one core each. At random moments a worker is killed (SIGKILL), or a node (its raylet
and all its workers; another one joins), or the driver, whose job is continued by --resume, or the
head, after which the command fails and is continued on another cluster. The table compares the
parts of the cluster with the file of the one process, row by row and bit by bit.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from interleave import print_table

from textrnn.cluster.connection import ray_package
from textrnn.data.file_format import FileFormat
from textrnn.data.text_files import read_texts

STORE_BYTES = 80_000_000

KINDS = ("worker", "node", "driver", "head")

HEAD_SECONDS = 300.0
"""Time after which a command must have seen that the head of its cluster is lost."""


class Nodes:
    """A head and two nodes of one core each, and the processes of the job that runs on them.

    Args:
        worker: A part of the title of the processes that work.
    """

    def __init__(self, worker: str = "MapWorker") -> None:
        self._worker = worker
        self.open()

    def open(self) -> None:
        """Starts a cluster."""
        ray_package()
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._nodes: list[Any] = []
        for _ in range(2):
            self._add()
        self.address = self._cluster.address

    def _add(self) -> None:
        self._nodes.append(self._cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES))

    def workers(self) -> list[psutil.Process]:
        """The processes that work."""
        return self.processes(self._worker)

    def processes(self, part: str) -> list[psutil.Process]:
        """The processes of the cluster that have this in a word of their command line."""
        found = []
        for process in psutil.Process().children(recursive=True):
            try:
                if any(part in word for word in process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def kill_worker(self, rng: random.Random) -> bool:
        """Kills a worker; tells whether there was one."""
        workers = self.workers()
        if workers:
            rng.choice(workers).send_signal(signal.SIGKILL)
        return bool(workers)

    def kill_node(self, rng: random.Random) -> bool:
        """Kills a node with all its workers, and adds another one."""
        self._replace(rng.choice(self._nodes))
        return True

    def kill_node_of(self, process: psutil.Process) -> None:
        """Kills the node of a process that a worker has started, and adds another one."""
        raylet = process.parents()[1].pid  # The worker comes first.
        self._replace(
            next(n for n in self._nodes if n.all_processes["raylet"][0].process.pid == raylet)
        )

    def kill_head(self) -> None:
        """Kills the head, and with it the cluster."""
        self._cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False)

    def _replace(self, node: Any) -> None:
        self._nodes.remove(node)
        self._cluster.remove_node(node, allow_graceful=False)
        self._add()

    def close(self) -> None:
        """Ends all processes."""
        self._cluster.shutdown()


class Driver:
    """The command that works on the cluster, which may be killed and continued.

    Args:
        command: The command.
        address: The address of the cluster.
        log: The file that gets its output.
        again: The options by which it continues.
        home: The folder in which it is called; None: this one.
    """

    def __init__(
        self,
        command: list[str],
        address: str,
        log: Path,
        *,
        again: Sequence[str] = ("--resume",),
        home: Path | None = None,
    ) -> None:
        self._command, self.log, self._again, self._home = command, log, again, home
        self._environment = {**os.environ, "RAY_ADDRESS": address}
        self.process = self._start([])

    def _start(self, more: Sequence[str]) -> subprocess.Popen:
        with self.log.open("a") as log:
            return subprocess.Popen(
                [*self._command, *more],
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=self._home,
            )

    def kill(self, _: random.Random | None = None) -> bool:
        """Kills the driver, and continues its job."""
        self.process.kill()
        self.process.wait()
        self.process = self._start(self._again)
        return True

    def go_on(self, address: str) -> None:
        """Continues the job, whose command has failed, on another cluster."""
        self._environment["RAY_ADDRESS"] = address
        self.process = self._start(self._again)


def kill_head(nodes: Nodes, driver: Driver) -> bool:
    """Kills the head, waits until the command fails, and continues it on a new cluster.

    Raises:
        subprocess.TimeoutExpired: The command does not see that the head is lost.
    """
    nodes.kill_head()
    failed = driver.process.wait(HEAD_SECONDS) != 0
    nodes.close()
    nodes.open()
    if failed:
        driver.go_on(nodes.address)
    return failed


def write_tables(folder: Path, texts: list[str], *, files: int, rows: int) -> None:
    """Writes Parquet files with the texts, repeated, and an id for each row."""
    folder.mkdir(parents=True)
    for number in range(files):
        ids = range(number * rows, (number + 1) * rows)
        own = [texts[i % len(texts)] for i in ids]
        path = folder / f"{number:04}.parquet"
        pq.write_table(pa.table({"id": ids, "text": own}), path, row_group_size=2048)


def labelled(folder: Path) -> pa.Table:
    """The rows of all parts, in order."""
    return pa.concat_tables([pq.read_table(part) for part in sorted(folder.glob("part-*"))])


def struck(
    command: list[str],
    output: Path,
    *,
    kinds: tuple[str, ...],
    pause: float,
    most: int,
    seed: int,
) -> tuple[Counter[str], float]:
    """Labels while processes are killed; the kills, and the seconds."""
    rng, kills = random.Random(seed), Counter[str]()
    nodes = Nodes()
    begin = time.monotonic()
    driver = Driver([*command, "--output", str(output)], nodes.address, output.with_suffix(".log"))
    strike: dict[str, Callable[[random.Random], bool]] = {
        "worker": nodes.kill_worker,
        "node": nodes.kill_node,
        "driver": driver.kill,
        "head": lambda _: kill_head(nodes, driver),
    }
    if "head" in kinds:
        most = min(most, 2)  # Ray gives up a head after a minute.
    try:
        while not (output / "_job" / "job.json").exists() and driver.process.poll() is None:
            time.sleep(0.2)
        while driver.process.poll() is None:
            time.sleep(rng.uniform(0.3, 1.7) * pause)
            if kinds and driver.process.poll() is None and sum(kills.values()) < most:
                kind = kinds[sum(kills.values()) % len(kinds)]
                kills[kind] += strike[kind](rng)
        if driver.process.returncode:
            raise click.ClickException(output.with_suffix(".log").read_text()[-2000:])
    finally:
        driver.process.kill()
        nodes.close()
    return kills, time.monotonic() - begin


def row_of(name: str, kills: Counter[str], one: pa.Table, many: pa.Table) -> dict[str, Any]:
    """A row of the table: what the parts have, against the file of one process."""
    before, after = Counter(one["id"].to_pylist()), Counter(many["id"].to_pylist())
    equal = one.equals(many)
    different = 0 if equal else sum(a != b for a, b in zip(rows(one), rows(many), strict=False))
    return {
        "killed": name,
        **{f"{kind}s": kills[kind] for kind in KINDS},
        "rows in": one.num_rows,
        "rows out": many.num_rows,
        "doubled": sum(count - 1 for count in after.values()),
        "lost": len(before.keys() - after.keys()),
        "different": different,
        "same bits": str(equal),
    }


def rows(table: pa.Table) -> list[dict[str, Any]]:
    return table.to_pylist()


@click.command(help=__doc__)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--file", "file", required=True, help="A file of texts, as for `textrnn predict`.")
@click.option("--files", default=40, show_default=True)
@click.option("--rows", "row_count", default=8192, show_default=True, help="Rows of each file.")
@click.option("--pause", default=6.0, show_default=True, help="Seconds between two kills.")
@click.option("--most", default=20, show_default=True, help="Kills of one job, at the most.")
@click.option("--only", multiple=True, help="Only the jobs with this in the first column.")
@click.option("--seed", default=0, show_default=True)
@click.option("--folder", default=Path("runs/cluster_kills"), type=click.Path(path_type=Path))
def main(
    run: Path,
    file: str,
    files: int,
    row_count: int,
    pause: float,
    most: int,
    only: tuple[str, ...],
    seed: int,
    folder: Path,
) -> None:
    """Labels undisturbed, labels under kills, and compares."""
    shutil.rmtree(folder, ignore_errors=True)
    write_tables(folder / "in", list(read_texts(file, FileFormat())), files=files, rows=row_count)
    command = [sys.executable, "-m", "textrnn", "predict", str(run)]
    command += ["--file", str(folder / "in" / "*.parquet")]
    subprocess.run([*command, "--output", str(folder / "one.parquet")], check=True)
    one = pq.read_table(folder / "one.parquet")
    results = []
    for name, kinds in (
        ("nothing", ()),
        ("workers", ("worker",)),
        ("nodes", ("node",)),
        ("drivers", ("driver",)),
        ("heads", ("head",)),
        ("all of them", ("worker", "driver", "node")),
    ):
        if only and name not in only:
            continue
        output = folder / name.replace(" ", "_")
        kills, seconds = struck(
            [*command, "--cluster", "auto"], output, kinds=kinds, pause=pause, most=most, seed=seed
        )
        many = labelled(output)
        results.append({**row_of(name, kills, one, many), "seconds": seconds})
        print(results[-1], flush=True)
    print_table(results, csv_file=folder / "cluster_kills.csv", title=f"{one.num_rows:,} rows")
    whole = all(row["same bits"] == "True" for row in results)
    struck_at_all = any(row[f"{kind}s"] for row in results for kind in KINDS)
    print("all rows are there once, bit for bit" if whole else "ROWS DIFFER")
    sys.exit(0 if whole and struck_at_all else 1)


if __name__ == "__main__":
    main()
