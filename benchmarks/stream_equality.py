"""Streamed answers against whole ones, on real texts cut at random.

    python benchmarks/stream_equality.py --dataset imdb --data-dir DIR

Each text of the test data is cut at random bytes, inside words and characters too, and fed to
`streams()`; what is printed is the largest difference of a probability from `predict`'s, for every
cell that reads forwards and every head. Weights are random, several times as large as trained ones.
"""

from __future__ import annotations

import itertools

import click
import numpy as np
from interleave import print_table

from textrnn.config.choices import CELLS, HEADS
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.model import ModelConfig
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.data import load_corpus
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.classifier import TextClassifier
from textrnn.text.tokenizer import Tokenizer

MOST_CUTS = 8
AT_A_TIME = 100


def pieces(text: str, rng: np.random.Generator) -> list[bytes]:
    content = text.encode()
    places = np.sort(rng.integers(0, len(content) + 1, size=rng.integers(MOST_CUTS + 1)))
    return [content[a:b] for a, b in itertools.pairwise([0, *places.tolist(), len(content)])]


@click.command()
@click.option("--dataset", required=True)
@click.option("--data-dir")
@click.option("--texts", default=1000, show_default=True)
def main(dataset: str, data_dir: str | None, texts: int) -> None:
    """Prints the differences."""
    corpus = load_corpus(ClassifierRunConfig.of(dataset=dataset, data_dir=data_dir), seed=0)
    tokenizer = Tokenizer.train(corpus.train.texts, TokenizerConfig())
    rng = np.random.default_rng(0)
    split = corpus.test or corpus.validation
    some = [split.texts[i] for i in rng.choice(len(split), size=texts, replace=False)]
    cuts = [pieces(text, rng) for text in some]
    rows = []
    for cell, head in itertools.product(CELLS, HEADS):
        shape = ModelConfig(cell=cell, head=head, units=64, embedding_units=64, bidirectional=False)
        model = TextClassifier(tokenizer.vocab_size, 2, config=shape)
        model.build((None, None))
        for weight in model.weights:
            if "embedding" not in weight.path and "seed" not in weight.path:
                weight.assign(2.0 * weight + rng.normal(scale=0.1, size=weight.shape))
        config = ClassifierRunConfig(model=shape)
        classifier = TrainedClassifier(model, tokenizer, ("neg", "pos"), config)
        whole = classifier.predict(some)
        largest = 0.0
        for begin in range(0, texts, AT_A_TIME):
            streams, answers = classifier.streams(), {}
            cut_numbers = dict(enumerate(cuts[begin : begin + AT_A_TIME], start=begin))
            for turn in range(max(map(len, cut_numbers.values()))):
                fed = {key: row[turn] for key, row in cut_numbers.items() if turn < len(row)}
                answers |= streams.feed(fed)
            for key, answer in answers.items():
                difference = abs(answer.scores["pos"] - whole[key].scores["pos"])
                largest = max(largest, difference)
        rows.append({"cell": cell, "head": head, "texts": texts, "difference": f"{largest:.1e}"})
        print(rows[-1], flush=True)
    print_table(rows, csv_file=None, title="largest difference of a probability")


if __name__ == "__main__":
    main()
