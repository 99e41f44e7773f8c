"""Which attributions are faithful: deleting the tokens they rank first must move the prediction.

    python benchmarks/faithfulness.py RUN --dataset bbc_news

Of each test text the tokens with the highest scores for the predicted label are deleted, a share of
all, and the fall of that label's probability is measured (the comprehensiveness of DeYoung et al.
2020, "ERASER: A Benchmark to Evaluate Rationalized NLP Models"). Deleting as many random tokens is
what it must be compared with. Without `--dataset` the run's own data is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import print_table

import textrnn
from textrnn.analysis.attribution.methods import METHODS, TokenScorer
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_split
from textrnn.errors import ConfigError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--dataset")
@click.option("--data-dir")
@click.option("--texts", default=200, show_default=True)
@click.option("--shares", default="5,10,20,50", show_default=True, help="Per cent of the tokens.")
@click.option("--draws", default=5, show_default=True, help="Random deletions of each text.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path))
def main(
    run: Path,
    dataset: str | None,
    data_dir: str | None,
    texts: int,
    shares: str,
    draws: int,
    csv_file: Path | None,
) -> None:
    """Prints, for each method and share, the mean fall in per cent with its 95 % interval."""
    classifier = textrnn.load(run)
    config = classifier.config
    if dataset is not None:
        config = ClassifierRunConfig.of(dataset=dataset, data_dir=data_dir)
    split, _ = load_split(
        config, "test", seed=classifier.config.runtime.seed, label_names=classifier.labels
    )
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.permutation(len(split))[:texts])
    model = classifier.config.model
    most = classifier.config.batches.max_length if model.bidirectional or model.pyramid else 0
    ids = classifier.tokenizer.encode_batch([split.texts[i] for i in chosen])
    ids = [row[: most or None] for row in ids if len(row) > 1]
    before = classifier.score_ids(ids)
    labels = before.argmax(axis=1)
    scorer = TokenScorer(classifier.model)
    parts = [float(share) for share in shares.split(",")]

    def falls(kept_tokens: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
        """Returns the fall of the label's probability, in percent, if only these tokens remain."""
        after = classifier.score_ids(kept_tokens)
        return 100 * (before[rows, labels[rows]] - after[np.arange(len(kept_tokens)), labels[rows]])

    def without(order: list[np.ndarray], share: float) -> list[np.ndarray]:
        """The texts without the first tokens of an order."""
        return [
            np.delete(row, first[: max(1, round(share / 100 * len(row)))])
            for row, first in zip(ids, order, strict=True)
        ]

    rows = np.arange(len(ids))
    random = {share: np.zeros(len(ids)) for share in parts}
    for _ in range(draws):
        order = [rng.permutation(len(row)) for row in ids]
        for share in parts:
            random[share] += falls(without(order, share), rows) / draws
    table: list[dict[str, Any]] = [_row("random", random, random)]
    for method in METHODS:
        try:
            attributions = [
                scorer.scores(row, target=int(label), method=method)
                for row, label in zip(ids, labels, strict=True)
            ]
        except ConfigError as error:
            click.echo(f"{method}: {error}", err=True)
            continue
        order = [np.argsort(-attribution.scores, kind="stable") for attribution in attributions]
        moved = {share: falls(without(order, share), rows) for share in parts}
        table.append(_row(method, moved, random))
    title = f"{len(ids)} texts, mean probability {100 * before.max(axis=1).mean():.1f} %"
    print_table(table, csv_file=csv_file, title=title)


def _row(
    method: str, moved: dict[float, np.ndarray], random: dict[float, np.ndarray]
) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method}
    for share, falls in moved.items():
        half = 1.96 * falls.std(ddof=1) / np.sqrt(len(falls))
        row[f"{share:g} % deleted"] = f"{falls.mean():.1f} ± {half:.1f}"
    last = list(moved)[-1]
    row["more than random (% of texts)"] = f"{100 * np.mean(moved[last] > random[last]):.0f}"
    return row


if __name__ == "__main__":
    main()
