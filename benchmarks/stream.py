"""Resident memory and speed of `textrnn predict --stream` on a text without an end.

    python benchmarks/stream.py RUN --tokens 10000000

The text is BBC News over and over. The speed of the same model on one whole document of 8,000
tokens at a time is measured first, in this process.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import numpy as np
import psutil

import textrnn
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus

WHOLE_TOKENS = 8000


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--tokens", default=10_000_000, show_default=True)
@click.option("--every", default=10_000, show_default=True, help="Tokens to a line of output.")
def main(run: Path, tokens: int, every: int) -> None:
    """Streams, and prints memory and speed."""
    texts = load_corpus(ClassifierRunConfig.of(dataset="bbc_news"), seed=0).train.texts
    classifier = textrnn.load(run)
    ids = [np.array(classifier.tokenizer.encode(" ".join(texts))[:WHOLE_TOKENS])]
    classifier.score_ids(ids)
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        classifier.score_ids(ids)
        times.append(time.perf_counter() - begin)
    whole = WHOLE_TOKENS / min(times)
    print(f"whole documents, one at a time: {whole:,.0f} tokens/s", flush=True)

    command = [sys.executable, "-m", "textrnn", "predict", str(run), "--stream"]
    process = subprocess.Popen(
        [*command, "--every", str(every)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    watched = psutil.Process(process.pid)

    def feed() -> None:
        assert process.stdin is not None
        try:
            for text in itertools.cycle(texts):
                process.stdin.write(text.encode() + b"\n")
        except BrokenPipeError:
            pass

    threading.Thread(target=feed, daemon=True).start()
    begin = 0.0
    first = 0
    sizes: list[tuple[float, float]] = []
    assert process.stdout is not None
    for line in process.stdout:
        read = json.loads(line)["tokens"]
        now = time.perf_counter()
        if not begin:
            begin, first = now, read
        sizes.append((now - begin, watched.memory_info().rss / 2**20))
        if read >= tokens:
            break
    seconds = time.perf_counter() - begin
    process.kill()
    process.wait()
    speed = (read - first) / seconds
    late = [size for second, size in sizes if second >= 60.0] or [sizes[-1][1]]
    print(f"{read:,} tokens in {seconds:.0f} s: {speed:,.0f} tokens/s, {speed / whole:.2f} of that")
    print(f"MiB: {sizes[0][1]:.0f} first; after a minute {min(late):.0f} to {max(late):.0f}")


if __name__ == "__main__":
    main()
