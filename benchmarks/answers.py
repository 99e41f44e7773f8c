"""Start, latency, speed and memory of answers: a run in both engines, LiteRT and two peers.

    python benchmarks/answers.py RUN --train-file train.csv --test-file test.csv

fastText (words and pairs) and scikit-learn (tf-idf of words and pairs, logistic regression) learn
from the same texts. Each engine then answers the test texts in a process of its own:

    first      seconds from the start of the process to the first answer
    p50, p99   milliseconds for one text, one call after the other
    texts/s    all texts in one call
    MB         the largest resident memory of the process

LiteRT reads `RUN/export/tflite/model.tflite` (`textrnn export RUN --kind tflite`), whose texts have
a fixed number of tokens, one text a call; the ids are SentencePiece's. All engines have one thread,
except TensorFlow, which uses the cores that there are.
"""

from __future__ import annotations

import csv
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import print_table

SINGLE_TEXTS = 1000
LEAST_TEXTS = 5000
"""The number of texts of the one call; fewer are repeated."""

Answer = Callable[[Sequence[str]], Any]


def light(run: Path, _: Path) -> Answer:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from textrnn.runtime import load

    return load(run).answers


def tensorflow(run: Path, _: Path) -> Answer:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import textrnn

    return textrnn.load(run).predict


def litert(run: Path, _: Path) -> Answer:
    from ai_edge_litert.interpreter import Interpreter
    from sentencepiece import SentencePieceProcessor

    path = run / "export" / "tflite" / "model.tflite"
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    classify = interpreter.get_signature_runner("serving_default")
    length = classify.get_input_details()["ids"]["shape"][1]
    processor = SentencePieceProcessor(model_file=str(run / "tokenizer.model"))

    def answer(texts: Sequence[str]) -> None:
        for text in texts:
            tokens = processor.encode(text)[:length]
            ids = np.zeros([1, length], np.int32)
            ids[0, : len(tokens)] = tokens
            classify(ids=ids)

    return answer


def fasttext(_: Path, folder: Path) -> Answer:
    import fasttext

    model = fasttext.load_model(str(folder / "fasttext.bin"))
    # The wheel of `predict` copies an array, which NumPy 2 refuses; its own method does not.
    return lambda texts: [model.f.predict(f"{text.lower()}\n", 1, 0.0, "strict") for text in texts]


def sklearn(_: Path, folder: Path) -> Answer:
    return pickle.loads((folder / "sklearn.pickle").read_bytes()).predict_proba


ENGINES = {f.__name__: f for f in (light, tensorflow, litert, fasttext, sklearn)}


def answer_all(engine: str, run: Path, folder: Path, begin: float) -> None:
    """Measures one engine, in this process, and prints the figures as JSON."""
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    answer = ENGINES[engine](run, folder)
    answer(texts[:1])
    first = time.time() - begin
    single = []
    for text in texts[:SINGLE_TEXTS]:
        start = time.perf_counter()
        answer([text])
        single.append(1000 * (time.perf_counter() - start))
    many = texts * -(-LEAST_TEXTS // len(texts))
    answer(many)  # TensorFlow traces its graphs here.
    start = time.perf_counter()
    answer(many)
    speed = len(many) / (time.perf_counter() - start)
    # `ru_maxrss` would begin with the memory of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (int(line.split()[1]) / 1000 for line in status if line.startswith("VmHWM"))
    p50, p99 = np.percentile(single, [50, 99])
    print(json.dumps({"first": first, "p50": p50, "p99": p99, "texts/s": speed, "MB": peak}))


def fit_peers(rows: list[dict[str, str]], folder: Path) -> None:
    """Fits fastText and the pipeline of scikit-learn, and saves them."""
    import fasttext
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    with (folder / "train.txt").open("w", encoding="utf-8") as file:
        for row in rows:
            text = " ".join(row["text"].lower().split())
            file.write(f"__label__{row['label'].replace(' ', '_')} {text}\n")
    model = fasttext.train_supervised(
        str(folder / "train.txt"), wordNgrams=2, epoch=10, dim=50, lr=0.5, verbose=0
    )
    model.save_model(str(folder / "fasttext.bin"))
    pipeline = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
        LogisticRegression(C=30, max_iter=1000),
    )
    pipeline.fit([row["text"] for row in rows], [row["label"] for row in rows])
    (folder / "sklearn.pickle").write_bytes(pickle.dumps(pipeline))


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@click.command(help=__doc__)
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("--train-file", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--test-file", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--repeats", default=3, show_default=True, help="Processes of each engine, in turns.")
@click.option("--engine", "engines", multiple=True, type=click.Choice(list(ENGINES)))
def main(
    run: Path, train_file: Path, test_file: Path, repeats: int, engines: tuple[str, ...]
) -> None:
    """Prints the medians of the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        fit_peers(read(train_file), folder)
        texts = [row["text"] for row in read(test_file)]
        (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        figures: dict[str, list[dict[str, float]]] = {name: [] for name in engines or ENGINES}
        for _ in range(repeats):
            for engine, found in figures.items():
                command = [sys.executable, __file__, "--one", engine, str(run), scratch]
                printed = subprocess.run(
                    [*command, repr(time.time())], check=True, stdout=subprocess.PIPE
                ).stdout
                found.append(json.loads(printed))
    rows = [
        {
            "engine": engine,
            **{name: float(np.median([f[name] for f in found])) for name in found[0]},
        }
        for engine, found in figures.items()
    ]
    print_table(rows, csv_file=None, title=f"{run.name}: {len(texts):,} texts")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        name, run_folder, scratch_folder, started = sys.argv[2:]
        answer_all(name, Path(run_folder), Path(scratch_folder), float(started))
    else:
        main()
