"""Kills replicas, nodes, commands and the head of a server on a cluster, while clients ask it.

    python benchmarks/cluster_serving.py RUN --file texts.csv

Two replicas of the server run on a cluster of three Ray nodes on this machine: a head without cores
and two nodes of one core each. Clients ask about one text after the other; a request that fails is
sent again. Every few seconds a replica is killed (SIGKILL), or a node (its raylet and all that runs
on it; another one joins), or the command `textrnn serve`, which is given again, or once the head,
after which the command is given again on another cluster. The answers are compared with those of
one process.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import shutil
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import psutil
from cluster_kills import Driver, Nodes, kill_head
from interleave import print_table

from textrnn.data.file_format import FileFormat
from textrnn.data.text_files import read_texts
from textrnn.runtime import load

KINDS = ("replica", "node", "command", "head")

GIVE_UP_SECONDS = 120.0
"""Time after which a request that always fails counts as lost."""

START_SECONDS = 180.0
"""Time in which a server must answer."""

TOLERANCE = 1e-5
"""Difference of scores; a text is computed together with others, which rounds differently."""


@dataclass
class Client:
    """Asks a server about one text after the other, until it is stopped.

    Attributes:
        port: Where the server listens, on this machine.
        texts: The texts.
        scores: The scores of each text by one process.
        counts: What happened: requests `answered` and `lost`, answers with an `other label` or
            `other scores`, and tries that `failed`.
        longest: The longest time of a request, in seconds, with all its tries.
    """

    port: int
    texts: Sequence[str]
    scores: Sequence[Sequence[float]]
    counts: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    def ask_until(self, stop: threading.Event, start: int) -> None:
        """Asks, beginning with the text of a number."""
        for index in itertools.islice(itertools.cycle(range(len(self.texts))), start, None):
            if stop.is_set():
                return
            begin = time.monotonic()
            answer = self._answer(index)
            self.longest = max(self.longest, time.monotonic() - begin)
            self.counts["lost" if answer is None else "answered"] += 1
            if answer is not None:
                self._compare(answer, self.scores[index])

    def _answer(self, index: int) -> list[float] | None:
        """The scores of a text; None if no try has an answer."""
        end = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < end:
            try:
                return self._try(self.texts[index])
            except (OSError, http.client.HTTPException):
                self.counts["failed"] += 1
                time.sleep(0.1)
        return None

    def _try(self, text: str) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/v1/models/m:predict", json.dumps({"instances": [text]}))
            response = connection.getresponse()
            content = response.read()
            if response.status != 200:
                raise http.client.HTTPException(f"{response.status}: {content[:200]!r}")
            return list(json.loads(content)["predictions"][0]["scores"])
        finally:
            connection.close()

    def _compare(self, answer: Sequence[float], scores: Sequence[float]) -> None:
        pairs = list(zip(answer, scores, strict=True))
        if answer.index(max(answer)) != scores.index(max(scores)):
            self.counts["other label"] += 1
        if any(abs(a - b) > TOLERANCE for a, b in pairs):
            self.counts["other scores"] += 1


@contextmanager
def asked(clients: Sequence[Client]) -> Iterator[None]:
    """Lets all clients ask at the same time until the context ends."""
    stop = threading.Event()
    askers = [
        threading.Thread(target=client.ask_until, args=(stop, number))
        for number, client in enumerate(clients)
    ]
    for asker in askers:
        asker.start()
    try:
        yield
    finally:
        stop.set()
        for asker in askers:
            asker.join()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_until(condition: Callable[[], bool], driver: Driver, *, what: str) -> None:
    """Waits; an error if it takes too long or the command has ended."""
    end = time.monotonic() + START_SECONDS
    while not condition():
        if driver.process.poll() is not None or time.monotonic() > end:
            raise click.ClickException(f"no {what}:\n{driver.log.read_text()[-3000:]}")
        time.sleep(0.2)


def struck(
    run: Path,
    clients: Sequence[Client],
    log: Path,
    *,
    kinds: tuple[str, ...],
    pause: float,
    most: int,
    seed: int,
) -> tuple[Counter[str], float]:
    """Serves while processes are killed; the kills, and the seconds in which clients asked."""
    rng, kills, nodes = random.Random(seed), Counter[str](), Nodes("ServeReplica")
    command = [sys.executable, "-m", "textrnn", "serve", f"m={run}", "--port", str(clients[0].port)]
    command += ["--replicas", "2", "--cluster", "auto"]
    driver = Driver(command, nodes.address, log, again=())

    def listening() -> int:
        return log.read_text().count("listening at")

    def again(kill: Callable[[], bool]) -> bool:
        before = listening()
        killed = kill()
        wait_until(lambda: listening() > before, driver, what="server after the kill")
        return killed

    strike: dict[str, Callable[[random.Random], bool]] = {
        "replica": nodes.kill_worker,
        "node": nodes.kill_node,
        "command": lambda _: again(driver.kill),
        "head": lambda _: again(lambda: kill_head(nodes, driver)),
    }
    if "head" in kinds:
        most = 1  # Ray gives up a head after a minute.
    try:
        wait_until(lambda: listening() > 0, driver, what="server")
        begin = time.monotonic()
        with asked(clients):
            for number in range(most if kinds else 1):
                time.sleep(pause)
                if kinds:
                    kind = kinds[number % len(kinds)]
                    kills[kind] += strike[kind](rng)
            time.sleep(pause)
            wait_until(lambda: len(nodes.workers()) >= 2, driver, what="second replica")
        seconds = time.monotonic() - begin
        driver.process.terminate()
        driver.process.wait(START_SECONDS)
        psutil.wait_procs(nodes.workers(), timeout=START_SECONDS)
        if left := nodes.workers():
            raise click.ClickException(f"replicas are left after the end: {left}")
    finally:
        driver.process.kill()
        nodes.close()
    return kills, seconds


@click.command(help=__doc__)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--file", "file", required=True, help="A file of texts, as for `textrnn predict`.")
@click.option("--pause", default=15.0, show_default=True, help="Seconds between two kills.")
@click.option("--most", default=6, show_default=True, help="Kills in each row of the table.")
@click.option("--threads", default=4, show_default=True, help="Requests at the same time.")
@click.option("--only", multiple=True, help="Only the rows with this in the first column.")
@click.option("--seed", default=0, show_default=True)
@click.option("--folder", default=Path("runs/cluster_serving"), type=click.Path(path_type=Path))
def main(
    run: Path,
    file: str,
    pause: float,
    most: int,
    threads: int,
    only: tuple[str, ...],
    seed: int,
    folder: Path,
) -> None:
    """Serves undisturbed, serves under kills, and counts."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    texts = list(itertools.islice(read_texts(file, FileFormat()), 2000))
    scores = load(run).probabilities(texts).tolist()
    results: list[dict[str, Any]] = []
    for name, kinds in (
        ("nothing", ()),
        *((f"{kind}s", (kind,)) for kind in KINDS),
        ("all of them", KINDS[:-1]),
    ):
        if only and name not in only:
            continue
        port = free_port()
        clients = [Client(port, texts, scores) for _ in range(threads)]
        kills, seconds = struck(
            run.absolute(),
            clients,
            folder / f"{name.replace(' ', '_')}.log",
            kinds=kinds,
            pause=pause,
            most=most,
            seed=seed,
        )
        total = sum((client.counts for client in clients), Counter[str]())
        counts = ("answered", "lost", "other label", "other scores", "failed")
        results.append(
            {
                "killed": name,
                **{f"{kind}s": kills[kind] for kind in KINDS},
                **{count: total[count] for count in counts},
                "longest, s": max(client.longest for client in clients),
                "seconds": seconds,
            }
        )
        print(results[-1], flush=True)
    print_table(results, csv_file=folder / "cluster_serving.csv", title="a server on a cluster")
    faults = ("lost", "other label", "other scores")
    whole = not any(row[fault] for row in results for fault in faults)
    print("all requests are answered, as by one process" if whole else "ANSWERS DIFFER")
    sys.exit(0 if whole and all(row["answered"] for row in results) else 1)


if __name__ == "__main__":
    main()
