"""The memory and the time of a training on millions of rows, from its start to its end.

    python benchmarks/large_table.py --rows 10000000 --time-budget 30m

Writes a Parquet file of short texts with planted labels, trains on it with the command line, and
prints for each message of the training the seconds from the start and the largest memory since the
message before: resident pages, and those of them that belong to no file. A mapped file's pages
count as resident although they can be given back at once.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from interleave import print_table

WORDS, CLASSES, GROUP = 4_000, 10, 100_000


def write(path: Path, rows: int, tokens: int) -> None:
    """Writes texts of `tokens` words on average; a sixth of them are words of the label."""
    rng = np.random.default_rng(0)
    words = np.asarray(
        [f"{'bcdfgklmnprst'[number % 13]}{number:x}" for number in range(WORDS)], dtype=object
    )
    schema = pa.schema([("id", pa.int64()), ("text", pa.string()), ("label", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, GROUP):
            count = min(GROUP, rows - start)
            labels = rng.integers(0, CLASSES, count)
            lengths = rng.integers(tokens // 2, tokens + tokens // 2 + 1, count)
            ends = np.cumsum(lengths)
            # Zipf's law: the r-th word occurs with a probability that is proportional to 1/r.
            ranks = (WORDS ** rng.random(ends[-1])).astype(np.int64)
            own = rng.random(ends[-1]) < 1 / 6
            ranks[own] = ranks[own] // CLASSES * CLASSES + np.repeat(labels, lengths)[own]
            drawn = words[np.minimum(ranks, WORDS - 1)]
            texts = [" ".join(drawn[end - n : end]) for end, n in zip(ends, lengths, strict=True)]
            ids = np.arange(start, start + count)
            names = [f"label {label}" for label in labels]
            writer.write_table(pa.table([ids, texts, names], schema=schema))


def samples(command: list[str]) -> list[dict[str, str | float]]:
    """Runs a command; a row for each message on its standard error."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            lines.put(line.rstrip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    watched = psutil.Process(process.pid)
    begin = time.monotonic()
    rows: list[dict[str, str | float]] = []
    resident = anonymous = 0
    message = "start"
    while True:
        ended = process.poll() is not None
        try:
            memory = watched.memory_info()
            resident = max(resident, memory.rss)
            anonymous = max(anonymous, memory.rss - memory.shared)
        except psutil.Error:
            pass
        while not lines.empty():
            rows.append(_row(message, begin, resident, anonymous))
            message, resident, anonymous = lines.get(), 0, 0
            print(f"{time.monotonic() - begin:8.0f} s  {message}", flush=True)
        if ended:
            break
        time.sleep(0.25)
    assert process.stdout is not None
    print(process.stdout.read(), flush=True)
    if process.returncode:
        raise click.ClickException(f"The training ended with {process.returncode}.")
    return [*rows, _row(message, begin, resident, anonymous)]


def _row(message: str, begin: float, resident: int, anonymous: int) -> dict[str, str | float]:
    return {
        "until": message,
        "seconds": time.monotonic() - begin,
        "resident, MB": resident / 1e6,
        "of no file, MB": anonymous / 1e6,
    }


@click.command(help=__doc__)
@click.option("--rows", "row_count", default=10_000_000, show_default=True)
@click.option("--tokens", default=12, show_default=True, help="Words of a text, on average.")
@click.option("--time-budget", default="30m", show_default=True, help="Of the training.")
@click.option("--folder", default=Path("runs/large_table"), type=click.Path(path_type=Path))
@click.argument("options", nargs=-1)
def main(
    row_count: int, tokens: int, time_budget: str, folder: Path, options: tuple[str, ...]
) -> None:
    """OPTIONS go to `textrnn train` as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["TEXTRNN_CACHE_DIR"] = str(folder / "cache")
    table = folder / f"{row_count}.parquet"
    if not table.is_file():
        part = table.with_suffix(".part")
        write(part, row_count, tokens)
        part.rename(table)
    command = [sys.executable, "-m", "textrnn", "train", "--train-file", str(table)]
    command += ["--time-budget", time_budget, "--output", str(folder / "run"), "--overwrite"]
    rows = samples([*command, *options])
    print_table(rows, csv_file=folder / "large_table.csv", title=f"{row_count:,} rows")
    print(f"largest: {max(float(row['resident, MB']) for row in rows):,.0f} MB")


if __name__ == "__main__":
    main()
