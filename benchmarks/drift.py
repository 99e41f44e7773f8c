"""False alarms of `textrnn drift` on texts of the same source, and its verdict on other texts.

    python benchmarks/drift.py --run runs/sst2 --run runs/trec6 --other imdb.csv --other trec6.csv

For each run, first 20 random halves of its test texts are compared with a profile of the other
half, then 20 random halves with the profile of the training, then the first 50 and 1,000 texts of
each other file. The table has the number of comparisons, how many found drift, and the mean size of
each measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import print_table

from textrnn.analysis.drift.drift import compare_with, make_profile
from textrnn.analysis.drift.measures import Measure
from textrnn.analysis.drift.profile import Profile
from textrnn.data import Split, read_texts
from textrnn.evaluation.labelled_data import LabelledData
from textrnn.evaluation.opened_run import OpenedRun

HALVES = 20
COUNTS = (50, 1000)


def summary(run: str, what: str, results: Sequence[tuple[Measure, ...]]) -> dict[str, Any]:
    """Returns the row of the table for some comparisons."""
    sizes = {
        measures[0].name: float(np.mean([measure.size for measure in measures]))
        for measures in zip(*results, strict=True)
    }
    alarms = sum(any(measure.is_drift for measure in measures) for measures in results)
    shown = {name: f"{size:.3f}" for name, size in sizes.items()}
    return {"run": run, "texts": what, "comparisons": len(results), "drift": alarms, **shown}


def rows_of(folder: Path, others: Sequence[Path]) -> list[dict[str, Any]]:
    """Returns the rows of the table for one run."""
    opened = OpenedRun.of(folder)
    classifier, name = opened.classifier, folder.name
    splits: dict[str, Split] = {
        split: LabelledData(split=split).read(opened.record)
        for split in ("train", "validation", "test")
    }
    test = splits["test"]
    encode = classifier.tokenizer.encode_batch

    def profile_of(train: Split, validation: Split) -> Profile:
        ids, held_out = encode(train.texts), encode(validation.texts)
        return make_profile(classifier, train.texts, ids=ids, held_out=held_out)

    own = profile_of(splits["train"], splits["validation"])
    inside, outside = [], []
    for seed in range(HALVES):
        order = np.random.default_rng(seed).permutation(len(test)).tolist()
        fifth, half = len(test) // 10, len(test) // 2
        held_out, train, new = (
            test.take(p) for p in (order[:fifth], order[fifth:half], order[half:])
        )
        profile = profile_of(train, held_out)
        inside.append(compare_with(profile, classifier, texts=new.texts))
        outside.append(compare_with(own, classifier, texts=new.texts))
    table = [
        summary(name, "halves of the test texts", inside),
        summary(name, "training against halves of the test texts", outside),
    ]
    for path in others:
        texts = [text for text in read_texts(path) if text.strip()]
        for count in COUNTS:
            compared = compare_with(own, classifier, texts=texts[:count])
            table.append(summary(name, f"{min(count, len(texts)):,} of {path.name}", [compared]))
    return table


@click.command()
@click.option("--run", "runs", multiple=True, required=True, type=click.Path(path_type=Path))
@click.option("--other", "others", multiple=True, type=click.Path(path_type=Path))
def main(runs: tuple[Path, ...], others: tuple[Path, ...]) -> None:
    """Measure false alarms and verdicts of runs with test data."""
    table = [row for folder in runs for row in rows_of(folder, others)]
    print_table(table, csv_file=None, title="drift")


if __name__ == "__main__":
    main()
