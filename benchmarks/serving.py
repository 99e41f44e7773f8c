"""Speed and memory of `textrnn serve`, asked on this machine.

    python benchmarks/serving.py RUN --texts FILE.csv --seconds 20 --workers 2

prints a table: texts per second and the time of a request at saturation, at a fixed rate of
requests, and with several texts per request. The clients run on the same cores as the server, so
the table also has the CPU time that the server itself used for 1,000 texts, which does not depend
on other programs.
"""

from __future__ import annotations

import asyncio
import csv
import functools
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np


@dataclass
class Load:
    """The requests that the clients of one table row send, and the times of the answers."""

    name: str
    connections: int
    texts: int = 1
    rate: float = 0.0  # Requests per second; 0: as many as are answered.
    seconds: list[float] = field(default_factory=list)
    failures: int = 0


def requests(texts: list[str], *, name: str, size: int, port: int) -> list[bytes]:
    """The HTTP requests that ask about all texts, `size` of them at a time."""
    bodies = [
        json.dumps({"instances": texts[i : i + size]}).encode()
        for i in range(0, len(texts) - size + 1, size)
    ]
    return [
        b"POST /v1/models/%s:predict HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: %d\r\n\r\n%s"
        % (name.encode(), port, len(body), body)
        for body in bodies
    ]


async def client(load: Load, bodies: Iterator[bytes], *, port: int, end: float, phase: float):
    """Sends one request after the other over one connection, at its share of the rate."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    pause = load.connections / load.rate if load.rate else 0.0
    due = time.perf_counter() + phase * pause
    while (now := time.perf_counter()) < end:
        if pause and due > now:
            await asyncio.sleep(due - now)
        begin = due if pause else now  # A late start counts, as it does for a user.
        due += pause
        writer.write(next(bodies))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        load.seconds.append(time.perf_counter() - begin)
        load.failures += not head.startswith(b"HTTP/1.1 200")
    writer.close()


async def drive(load: Load, texts: list[str], *, name: str, port: int, seconds: float) -> float:
    """Runs the clients; returns the time that they took, in seconds."""
    bodies = itertools.cycle(requests(texts, name=name, size=load.texts, port=port))
    begin = time.perf_counter()
    await asyncio.gather(
        *(
            client(load, bodies, port=port, end=begin + seconds, phase=i / load.connections)
            for i in range(load.connections)
        )
    )
    return time.perf_counter() - begin


def cpu_seconds(pids: list[int]) -> float:
    """The CPU time that processes have used so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pids: list[int]) -> float:
    """The memory that processes use, in MB."""
    kilobytes = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            kilobytes += int(line.split()[1]) if line.startswith("VmRSS") else 0
    return kilobytes / 1000


def processes(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def wait_until_ready(port: int, server: subprocess.Popen) -> None:
    import urllib.request

    for _ in range(600):
        if server.poll() is not None:
            sys.exit("the server ended")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("the server is not ready after 60 s")


def measure(
    load: Load, texts: list[str], *, name: str, port: int, seconds: float, pid: int
) -> None:
    pids = processes(pid)
    before = cpu_seconds(pids)
    took = asyncio.run(drive(load, texts, name=name, port=port, seconds=seconds))
    used = cpu_seconds(pids) - before
    count = len(load.seconds) * load.texts
    p50, p99 = 1000 * np.percentile(load.seconds, [50, 99])
    print(
        f"{load.name:34} {count / took:9,.0f} {p50:8.1f} {p99:8.1f} "
        f"{1000 * used / count:10.3f} {memory(pids):8.0f} {load.failures:8}",
        flush=True,
    )


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--texts", "file", required=True, help="CSV file with a column `text`.")
@click.option("--seconds", default=20.0, show_default=True)
@click.option("--port", default=8599, show_default=True)
@click.option("--connections", default=64, show_default=True)
@click.option("--rate", type=float, help="Requests per second.  [default: half of the saturation]")
@click.argument("further", nargs=-1)
def main(
    run: Path,
    file: str,
    seconds: float,
    port: int,
    connections: int,
    rate: float | None,
    further: tuple[str, ...],
) -> None:
    """Ask a server; further options are those of `textrnn serve`."""
    with open(file, encoding="utf-8", newline="") as lines:
        texts = [row["text"] for row in csv.DictReader(lines)]
    command = [sys.executable, "-m", "textrnn", "serve", str(run), "--port", str(port)]
    server = subprocess.Popen([*command, *further])
    try:
        wait_until_ready(port, server)
        print(
            f"{'':34} {'texts/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU s/1000':>10} {'MB':>8} "
            f"{'failures':>8}"
        )
        name, pid = run.resolve().name, server.pid
        ask = functools.partial(measure, name=name, port=port, seconds=seconds, pid=pid)
        most = Load(f"1 text, {connections} connections", connections)
        ask(most, texts)
        rate = rate or len(most.seconds) / seconds / 2
        half = Load(f"1 text, {rate:,.0f} requests/s", connections, rate=rate)
        ask(half, texts)
        ask(Load("16 texts, 16 connections", 16, texts=16), texts)
        ask(Load("256 texts, 4 connections", 4, texts=256), texts)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


if __name__ == "__main__":
    main()
