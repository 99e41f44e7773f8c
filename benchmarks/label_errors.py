"""How many planted duplicates and label errors `textrnn check --folds 5` finds, and how fast.

    python benchmarks/label_errors.py --data sst2/train.csv --data trec6/train.csv
    python benchmarks/label_errors.py --rows 20000 \\
        --data "clinc150/train.csv clinc150/validation.csv"

Each --data names one or more CSV files with the columns text and label, which are read as one
table. Of its rows, 12 % become copies of other rows (equal, in capitals, or `Re: text !!`), and 5 %
get another label. The table counts the copies that are found, and the wrong labels in the first
tenth of the ranked list, where a tenth would be there by chance.
"""

from __future__ import annotations

import csv
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from interleave import print_table

from textrnn.analysis.data_check.check import check_data
from textrnn.analysis.data_check.judge import LabelJudge
from textrnn.config.classifier import ClassifierRunConfig

COPIES, NOISE = 0.12, 0.05
CHANGES: tuple[Callable[[str], str], ...] = (str.strip, str.upper, "Re: {} !!".format)


def plant(
    rows: list[tuple[str, str]], *, count: int, seed: int
) -> tuple[list[tuple[str, str]], set[int], set[int]]:
    """Returns `count` rows, and the numbers of the copies and of the wrong labels among them."""
    rng = random.Random(seed)
    copies = round(count * COPIES)
    base = rng.sample(rows, count - copies)
    copied = rng.sample(range(len(base)), copies)
    changed = [CHANGES[number % 3](base[place][0]) for number, place in enumerate(copied)]
    table = [*base, *((text, base[place][1]) for text, place in zip(changed, copied, strict=True))]
    names = sorted({label for _, label in table})
    wrong = set(rng.sample(range(count), round(count * NOISE)))
    table = [
        (text, rng.choice([name for name in names if name != label]) if place in wrong else label)
        for place, (text, label) in enumerate(table)
    ]
    return table, set(range(len(base) + 1, count + 1)), {place + 1 for place in wrong}


def measure(paths: list[Path], *, rows: int | None, seed: int, run: Path | None) -> dict[str, Any]:
    """Returns the row of the table for one data set."""
    read = [
        (row["text"], row["label"])
        for path in paths
        for row in csv.DictReader(path.open(encoding="utf-8", newline=""))
    ]
    table, copies, wrong = plant(read, count=rows or len(read), seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "planted.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([("text", "label"), *table])
        config = ClassifierRunConfig.of(train_file=str(file))
        start = time.monotonic()
        check_data(config)
        seconds = time.monotonic() - start
        start = time.monotonic()
        check = check_data(config, judge=LabelJudge(folds=5, run=run))
        ranking = time.monotonic() - start - seconds
    found = {repeat.row for repeat in check.repeats}
    errors = check.label_errors
    assert errors is not None
    top = {row["row"] for row in list(errors.rows())[: len(table) // 10]}
    return {
        "data": paths[0].parent.name,
        "rows": f"{len(table):,}",
        "copies found": f"{len(copies & found) / len(copies):.1%}",
        "errors in the first tenth": f"{len(wrong & top) / len(wrong):.1%}",
        "agreement": f"{errors.agreement:.1%}",
        "check, s": f"{seconds:.0f}",
        "ranking, s": f"{max(ranking, 0.0):.0f}",
    }


@click.command()
@click.option("--data", "names", multiple=True, required=True, help="CSV files of one data set.")
@click.option("--rows", type=int, help="Number of rows of each table; by default all.")
@click.option("--seed", default=0)
@click.option("--model", "run", type=click.Path(path_type=Path), help="A run that judges too.")
def main(names: tuple[str, ...], rows: int | None, seed: int, run: Path | None) -> None:
    """Measure the check on tables with planted faults."""
    table = [
        measure([Path(name) for name in each.split()], rows=rows, seed=seed, run=run)
        for each in names
    ]
    print_table(table, csv_file=None, title="12 % copies, 5 % wrong labels")


if __name__ == "__main__":
    main()
