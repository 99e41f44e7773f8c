"""A simulation of labelling, training and searching on 1 to 1,000 machines.

    python benchmarks/cluster_capacity.py            # pip install simpy
    python benchmarks/cluster_capacity.py --commands 8 --network 1e9

It shows where each stops scaling. What one core, one command and one checkpoint need was measured
(docs/cluster.md, docs/distributed.md); the machines, the network and the store are assumed, and are
options. The labelling is an event simulation: workers ask the command for a part, read it, label it
and write it; machines are lost at random, their parts are given out again, and other machines take
their place. The updates of a training are drawn: each waits for the slowest worker, then for the
sum of the gradients.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
import simpy
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

# Measured on a machine with two cores; docs/cluster.md and docs/distributed.md have the commands.
ROWS_PER_SECOND = 2_900
"""Rows of 7 words that one core labels."""
PART_ROWS = 65_536
PARTS_PER_SECOND = 63
"""Parts that one command gives out and takes back."""
START_SECONDS = 15
"""From the start of a worker to its first row."""
ROW_BYTES = 60
"""Bytes that a worker reads and writes per row, together."""
TOKENS_PER_SECOND = 13_830
"""Tokens that one core trains on, minGRU on BBC News."""
STEP_OVERHEAD = 0.077
"""Seconds of an update of two workers over those of half an update of one."""
GRADIENT_BYTES = 12_300_000
"""Gradients of the default model for IMDb."""
CHECKPOINT_BYTES = 37_000_000
"""A checkpoint of the same model."""

SPREAD = 0.1
"""Relative standard deviation of the time of a part and of a step (assumed)."""
MESSAGE_SECONDS = 1e-4
"""Latency of a message between two machines (assumed)."""


@dataclass(frozen=True)
class Cluster:
    """The assumed machines, network and store.

    Attributes:
        cores: Cores per machine.
        network: Bytes per second of a machine's network.
        store: Bytes per second of the shared store, for all machines together.
        lost_after: Mean time until a machine is lost, in seconds.
        replaced_after: Seconds until another machine takes its place.
        commands: Commands that share the files.
    """

    cores: int
    network: float
    store: float
    lost_after: float
    replaced_after: float
    commands: int


@dataclass
class Labelling:
    """The counts of a simulated labelling job.

    Attributes:
        finished: Parts that were written.
        repeated: Parts that were lost with their machine, and labelled again.
        lost_machines: Machines that were lost.
        command_busy: Seconds that the commands spent on giving out parts.
    """

    finished: int = 0
    repeated: int = 0
    lost_machines: int = 0
    command_busy: float = 0.0


def label(machines: int, parts: int, cluster: Cluster, *, seed: int = 0) -> tuple[float, Labelling]:
    """Simulates a job; returns its seconds and what was done."""
    env = simpy.Environment()
    rng = np.random.default_rng(seed)
    done = Labelling()
    left = parts
    finished = env.event()
    commands = simpy.Resource(env, capacity=cluster.commands)
    # The share of a worker if all workers read and write at the same time.
    bandwidth = min(cluster.network / cluster.cores, cluster.store / (machines * cluster.cores))

    def worker() -> Generator[Any, Any, None]:
        nonlocal left
        holds = False
        try:
            yield env.timeout(START_SECONDS)
            while True:
                while not left:
                    yield env.timeout(1.0)
                left -= 1
                holds = True
                with commands.request() as turn:
                    yield turn
                    yield env.timeout(1 / PARTS_PER_SECOND)
                done.command_busy += 1 / PARTS_PER_SECOND
                work = PART_ROWS / ROWS_PER_SECOND * max(0.2, rng.normal(1, SPREAD))
                yield env.timeout(work + PART_ROWS * ROW_BYTES / bandwidth)
                holds = False
                done.finished += 1
                if done.finished == parts:
                    finished.succeed()
        except simpy.Interrupt:
            left += holds
            done.repeated += holds

    def machine() -> Generator[Any, Any, None]:
        while True:
            workers = [env.process(worker()) for _ in range(cluster.cores)]
            yield env.timeout(rng.exponential(cluster.lost_after))
            done.lost_machines += 1
            for process in workers:
                process.interrupt()
            yield env.timeout(cluster.replaced_after)

    for _ in range(machines):
        env.process(machine())
    env.run(until=finished)
    return float(env.now), done


def labelling(cluster: Cluster, sizes: list[int], hours: float) -> Table:
    """Labels what the cores alone would label in some hours."""
    table = Table(
        *("machines", "million rows", "rows/s", "of the cores alone", "command busy"),
        *("MB/s", "machines lost", "parts repeated"),
        title="labelling",
        box=MARKDOWN,
    )
    for machines in sizes:
        speed = machines * cluster.cores * ROWS_PER_SECOND
        parts = round(speed * hours * 3600 / PART_ROWS)
        seconds, done = label(machines, parts, cluster)
        rows = parts * PART_ROWS
        table.add_row(
            *(f"{machines:,}", f"{rows / 1e6:,.0f}", f"{rows / seconds:,.0f}"),
            f"{rows / seconds / speed:.0%}",
            f"{done.command_busy / seconds / cluster.commands:.0%}",
            f"{rows * ROW_BYTES / seconds / 1e6:,.1f}",
            *(f"{done.lost_machines:,}", f"{done.repeated:,}"),
        )
    return table


def update_seconds(workers: int, tokens: int, cluster: Cluster, *, seed: int = 0) -> float:
    """Returns the mean time of an update of several workers, one per machine, in seconds.

    Each computes its part of the batch, waits for the slowest one, and takes part in a ring that
    sums the gradients: 2 (N - 1) / N of their bytes, in 2 (N - 1) messages.
    """
    if workers == 1:
        return tokens / TOKENS_PER_SECOND
    rng = np.random.default_rng(seed)
    alone = tokens / workers / TOKENS_PER_SECOND
    slowest = alone * np.maximum(0.2, rng.normal(1, SPREAD, (200, workers))).max(1).mean()
    ring = 2 * (workers - 1) / workers * GRADIENT_BYTES / cluster.network
    return float(slowest + STEP_OVERHEAD + ring + 2 * (workers - 1) * MESSAGE_SECONDS)


def training(cluster: Cluster, sizes: list[int], tokens: int) -> Table:
    """Trains with the batch of one machine, and with one that grows with the machines."""
    table = Table(
        *("workers", "update (s)", "speed-up", "sent by each (MB/s)", "speed-up, growing batch"),
        title=f"training, {tokens:,} tokens per batch",
        box=MARKDOWN,
    )
    for workers in sizes:
        seconds = update_seconds(workers, tokens, cluster)
        sent = 2 * (workers - 1) / workers * GRADIENT_BYTES / seconds
        grown = update_seconds(workers, tokens * workers, cluster)
        table.add_row(
            *(f"{workers:,}", f"{seconds:.2f}"),
            f"{tokens / TOKENS_PER_SECOND / seconds:.1f}",
            f"{sent / 1e6:.1f}",
            f"{tokens * workers / TOKENS_PER_SECOND / grown:.1f}",
        )
    return table


def checkpoints(cluster: Cluster, sizes: list[int], minutes: float) -> Table:
    """Every core trains a run of its own, as a search does, and writes checkpoints to the store."""
    table = Table(
        *("machines", "runs at a time", "MB/s of checkpoints", "share of the store"),
        *("a machine is lost every", "training that is repeated"),
        title=f"searching, a checkpoint each {minutes:g} minutes",
        box=MARKDOWN,
    )
    for machines in sizes:
        runs = machines * cluster.cores
        traffic = runs * CHECKPOINT_BYTES / (minutes * 60)
        # Half an interval is lost with a machine, and the start of the processes.
        repeated = (minutes * 30 + START_SECONDS) / cluster.lost_after
        table.add_row(
            *(f"{machines:,}", f"{runs:,}", f"{traffic / 1e6:,.1f}"),
            f"{traffic / cluster.store:.1%}",
            f"{cluster.lost_after / machines / 60:,.1f} min",
            f"{repeated:.1%}",
        )
    return table


@click.command(help=__doc__.splitlines()[0])
@click.option("--machines", "sizes", multiple=True, type=int, default=(1, 10, 100, 300, 1000))
@click.option("--cores", default=8, show_default=True, help="Cores of a machine.")
@click.option("--network", default=1.25e9, show_default=True, help="Bytes/s of a machine.")
@click.option("--store", default=12.5e9, show_default=True, help="Bytes/s of the shared store.")
@click.option("--lost-after", default=24.0, show_default=True, help="Mean hours to a loss.")
@click.option("--replaced-after", default=120.0, show_default=True, help="Seconds.")
@click.option("--commands", default=1, show_default=True, help="Commands that share the files.")
@click.option("--hours", default=1.0, show_default=True, help="Of a labelling by the cores alone.")
@click.option("--batch-tokens", default=16_384, show_default=True)
@click.option("--checkpoint-minutes", default=10.0, show_default=True)
def main(
    sizes: tuple[int, ...],
    cores: int,
    network: float,
    store: float,
    lost_after: float,
    replaced_after: float,
    commands: int,
    hours: float,
    batch_tokens: int,
    checkpoint_minutes: float,
) -> None:
    cluster = Cluster(cores, network, store, lost_after * 3600, replaced_after, commands)
    console = Console(width=140)
    console.print(labelling(cluster, list(sizes), hours))
    console.print(training(cluster, list(sizes), batch_tokens))
    console.print(checkpoints(cluster, list(sizes), checkpoint_minutes))


if __name__ == "__main__":
    main()
