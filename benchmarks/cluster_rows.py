"""The speed and the memory of labelling many short texts on a cluster, and from where on it pays.

    python benchmarks/cluster_rows.py RUN --rows 20000000
    python benchmarks/cluster_rows.py RUN --rows 10000 --rows 100000 --rows 1000000 --compare

Writes Parquet files of short texts and labels them by `textrnn predict --cluster local`. While it
labels, the resident memory of each worker is sampled: "early" is the largest of a worker in the
second quarter of the time, "late" in the last one. With --compare, one process labels the same
rows too, and the table has the ratio of the times.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from interleave import print_table
from large_table import write

FILE_ROWS = 1_000_000


def write_files(folder: Path, rows: int, tokens: int) -> None:
    """Writes files of a million rows; the later ones repeat the texts of the first one."""
    folder.mkdir(parents=True)
    first = folder / "0000.parquet"
    write(first, min(rows, FILE_ROWS), tokens)
    for number in range(1, -(-rows // FILE_ROWS)):
        count = min(FILE_ROWS, rows - number * FILE_ROWS)
        table = pq.read_table(first).slice(0, count)
        ids = pa.array(range(number * FILE_ROWS, number * FILE_ROWS + count))
        table = table.set_column(0, "id", ids)
        pq.write_table(table, folder / f"{number:04}.parquet", row_group_size=100_000)


def worker_memory(process: psutil.Process) -> dict[int, int]:
    """The resident bytes of each worker below a process."""
    memory = {}
    for child in process.children(recursive=True):
        try:
            if "MapWorker" in "".join(child.cmdline()):
                memory[child.pid] = child.memory_info().rss
        except psutil.Error:
            continue
    return memory


def timed(command: list[str]) -> tuple[float, list[tuple[float, dict[int, int]]]]:
    """Runs a command; the seconds, and samples of the memory of its workers."""
    begin = time.monotonic()
    process = subprocess.Popen(command)
    watched = psutil.Process(process.pid)
    samples = []
    while process.poll() is None:
        samples.append((time.monotonic() - begin, worker_memory(watched)))
        time.sleep(0.5)
    if process.returncode:
        raise click.ClickException(f"{command} ended with {process.returncode}.")
    return time.monotonic() - begin, samples


def largest(samples: list[tuple[float, dict[int, int]]], start: float, stop: float) -> float:
    """The largest memory of a worker in a span of time, in MB."""
    inside = [max(memory.values()) for at, memory in samples if memory and start <= at < stop]
    return max(inside, default=0) / 1e6


@click.command(help=__doc__)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--rows", "counts", multiple=True, type=int, default=(20_000_000,))
@click.option("--tokens", default=7, show_default=True, help="Words of a text, on average.")
@click.option("--compare", is_flag=True, help="Label in one process too.")
@click.option("--folder", default=Path("runs/cluster_rows"), type=click.Path(path_type=Path))
def main(run: Path, counts: tuple[int, ...], tokens: int, compare: bool, folder: Path) -> None:
    """Labels each number of rows."""
    results: list[dict[str, Any]] = []
    for rows in counts:
        shutil.rmtree(folder, ignore_errors=True)
        write_files(folder / "in", rows, tokens)
        command = [sys.executable, "-m", "textrnn", "predict", str(run)]
        command += ["--file", str(folder / "in" / "*.parquet"), "--output"]
        seconds, samples = timed([*command, str(folder / "out"), "--cluster", "local"])
        written = sum(pq.read_metadata(p).num_rows for p in (folder / "out").glob("part-*"))
        row: dict[str, Any] = {
            "rows": rows,
            "written": written,
            "seconds": seconds,
            "rows/s": rows / seconds,
            "early, MB": largest(samples, seconds / 4, seconds / 2),
            "late, MB": largest(samples, seconds * 3 / 4, seconds),
        }
        if compare:
            alone, _ = timed([*command, str(folder / "one.parquet")])
            row |= {"one process, s": alone, "ratio": alone / seconds}
        results.append(row)
        print(row, flush=True)
    print_table(results, csv_file=folder / "cluster_rows.csv", title="labelling on a cluster")


if __name__ == "__main__":
    main()
