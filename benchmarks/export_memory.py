"""Peak memory of `textrnn export`: of all its processes together, and of each by itself.

    python benchmarks/export_memory.py RUN                 # every kind
    python benchmarks/export_memory.py RUN --kind onnx --kind stream

The resident memory of the command and of the processes it starts is sampled ten times a second.
"At the peak" is what each process had when the sum was largest. Pages that several processes share,
such as those of TensorFlow's library, count once for each process in the resident size, and once in
all in the proportional size (Linux only).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import psutil
from interleave import print_table

MEBIBYTE = 2**20
PAUSE = 0.1


def worker_name(process: psutil.Process) -> str:
    """Returns the module that a process runs."""
    arguments = process.cmdline()
    return arguments[arguments.index("-m") + 1] if "-m" in arguments else arguments[0]


def sample(root: psutil.Process) -> dict[str, tuple[int, int]]:
    """Returns the resident and the proportional bytes of each process of a tree."""
    sizes: dict[str, tuple[int, int]] = {}
    for process in [root, *root.children(recursive=True)]:
        try:
            memory = process.memory_full_info()
            sizes[worker_name(process)] = memory.rss, getattr(memory, "pss", memory.rss)
        except (psutil.Error, IndexError):
            continue  # It has ended meanwhile.
    return sizes


def total(memory: dict[str, tuple[int, int]]) -> tuple[int, int]:
    return sum(rss for rss, _ in memory.values()), sum(pss for _, pss in memory.values())


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--kind", "kinds", multiple=True, help="What to make.  [default: all]")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the figures here.")
def main(run: Path, kinds: tuple[str, ...], csv_file: Path | None) -> None:
    """Measure the peak memory of the export of RUN."""
    peaks: dict[str, int] = defaultdict(int)
    at_peak: dict[str, tuple[int, int]] = {}
    most_shared = 0
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "textrnn", "export", str(run), "--output", folder]
        command += [argument for kind in kinds for argument in ("--kind", kind)]
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            try:
                memory = sample(psutil.Process(process.pid))
            except psutil.Error:
                break
            for name, (rss, _) in memory.items():
                peaks[name] = max(peaks[name], rss)
            at_peak = max(at_peak, memory, key=total)
            most_shared = max(most_shared, total(memory)[1])
            time.sleep(PAUSE)
        code = process.wait()
        seconds = time.monotonic() - start
    rows: list[dict[str, Any]] = [
        {
            "process": name,
            "peak MiB": size / MEBIBYTE,
            "at the peak": at_peak.get(name, (0, 0))[0] / MEBIBYTE,
        }
        for name, size in peaks.items()
    ]
    whole = total(at_peak)[0] / MEBIBYTE
    rows.append({"process": "all, resident", "peak MiB": whole, "at the peak": whole})
    whole = most_shared / MEBIBYTE
    rows.append({"process": "all, proportional", "peak MiB": whole, "at the peak": whole})
    if code != 0:
        raise click.ClickException(f"textrnn export ended with the exit code {code}.")
    title = f"textrnn export {' '.join(kinds)}: {seconds:.0f} s"
    print_table(rows, csv_file=csv_file, title=title)


if __name__ == "__main__":
    main()
