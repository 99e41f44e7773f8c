"""Speed and memory of `textrnn serve`, asked on this machine.

    python benchmarks/serving.py RUN --texts FILE.csv --seconds 20 --workers 2

prints a table: texts per second and the time of a request at saturation, at a fixed rate of
requests, and with several texts per request. The clients run on the same cores as the server, so
the table also has the CPU time that the server itself used for 1,000 texts, which does not depend
on other programs.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
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


def measure(load: Load, texts: list[str], options: argparse.Namespace, pid: int) -> None:
    name = Path(options.run).resolve().name
    pids = processes(pid)
    before = cpu_seconds(pids)
    took = asyncio.run(drive(load, texts, name=name, port=options.port, seconds=options.seconds))
    used = cpu_seconds(pids) - before
    count = len(load.seconds) * load.texts
    p50, p99 = 1000 * np.percentile(load.seconds, [50, 99])
    print(
        f"{load.name:34} {count / took:9,.0f} {p50:8.1f} {p99:8.1f} "
        f"{1000 * used / count:10.3f} {memory(pids):8.0f} {load.failures:8}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--texts", required=True, help="CSV file with a column `text`.")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--port", type=int, default=8599)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0, help="default: half of the saturation")
    options, further = parser.parse_known_args()  # The others are those of textrnn serve.
    with open(options.texts, encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    command = [sys.executable, "-m", "textrnn", "serve", options.run, "--port", str(options.port)]
    server = subprocess.Popen([*command, *further])
    try:
        wait_until_ready(options.port, server)
        print(
            f"{'':34} {'texts/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU s/1000':>10} {'MB':>8} "
            f"{'failures':>8}"
        )
        most = Load(f"1 text, {options.connections} connections", options.connections)
        measure(most, texts, options, server.pid)
        rate = options.rate or len(most.seconds) / options.seconds / 2
        half = Load(f"1 text, {rate:,.0f} requests/s", options.connections, rate=rate)
        measure(half, texts, options, server.pid)
        measure(Load("16 texts, 16 connections", 16, texts=16), texts, options, server.pid)
        measure(Load("256 texts, 4 connections", 4, texts=256), texts, options, server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


if __name__ == "__main__":
    main()
