"""The speed and the memory of reading tables, by format.

    python benchmarks/tables.py --rows 1000000

Each format is read in a process of its own, from a file with an id, a time, a text of 4 to 30 words
and a label. The memory is the largest resident set of the process, without TensorFlow; a file that
was read whole would need at least its size.
"""

from __future__ import annotations

import csv
import datetime
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

FORMATS = (".csv", ".jsonl", ".parquet", ".arrow", ".xlsx")
WORDS = 20_000
NAMES = ("id", "time", "text", "label")


def rows(count: int):
    rng = random.Random(0)
    words = [f"{rng.choice('bcdfgklmnprst')}{number:x}" for number in range(WORDS)]
    start = datetime.datetime(2026, 1, 1)
    for number in range(count):
        text = " ".join(rng.choices(words, k=rng.randint(4, 30)))
        yield number, start + datetime.timedelta(minutes=number), text, f"label {number % 20}"


def write(path: Path, count: int) -> None:
    """Writes a table; Parquet and Arrow in blocks of 100,000 rows."""
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([NAMES, *rows(count)])
    elif path.suffix == ".jsonl":
        with path.open("w") as file:
            for row in rows(count):
                file.write(json.dumps(dict(zip(NAMES, row, strict=True)), default=str) + "\n")
    elif path.suffix == ".xlsx":
        import openpyxl

        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in (NAMES, *rows(count)):
            sheet.append(row)
        book.save(path)
    else:
        import pyarrow.parquet

        columns = zip(*rows(count), strict=True)
        table = pyarrow.table(dict(zip(NAMES, map(list, columns), strict=True)))
        if path.suffix == ".parquet":
            pyarrow.parquet.write_table(table, path, row_group_size=100_000)
        else:
            with pyarrow.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table, 100_000)


def read(path: Path) -> None:
    """Reads a table and prints the number of rows, the seconds and the memory."""
    from textrnn.data.text_files import FileFormat, read_rows

    begin = time.perf_counter()
    count = sum(1 for _ in read_rows(path, FileFormat()))
    seconds = time.perf_counter() - begin
    print(count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


@click.command(help=__doc__)
@click.option("--rows", "row_count", default=1_000_000, show_default=True)
@click.option("--format", "formats", multiple=True, type=click.Choice(FORMATS), default=FORMATS)
@click.option("--read", "read_path", type=click.Path(path_type=Path), hidden=True)
def main(row_count: int, formats: tuple[str, ...], read_path: Path | None) -> None:
    if read_path is not None:
        read(read_path)
        return
    print(f"| format | file, MB | {row_count:,} rows, rows per second | memory, MB |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for extension in formats:
            path = Path(folder, f"table{extension}")
            process = os.fork()  # The rows that are written do not count.
            if not process:
                write(path, row_count)
                os._exit(0)
            os.waitpid(process, 0)
            command = [sys.executable, __file__, "--read", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            count, seconds, memory = map(float, done.stdout.split())
            size = path.stat().st_size / 1e6
            print(
                f"| {extension} | {size:.0f} | {count / seconds:,.0f} | {memory:.0f} |", flush=True
            )
            path.unlink()


if __name__ == "__main__":
    main()
