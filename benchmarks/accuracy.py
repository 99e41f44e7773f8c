"""The accuracy of the defaults on several data sets, beside a linear model and fastText.

    python benchmarks/accuracy.py --data FOLDER --dataset bbc_news --seed 0 --seed 1 --seed 2

FOLDER has a sub-folder for each data set, with train.csv, test.csv and perhaps validation.csv. Each
run is the command that a user would type; runs stand in OUTPUT, and one that is finished is not
made again. Options after `--` go to `textrnn train`. The linear model is the one that `textrnn
train` reports. fastText (words and pairs, 50 numbers, rate 0.5; 10 or 100 epochs, whichever is
better on the validation texts of the first seed) is measured if `fasttext` is installed. Choose by
the validation columns; look at the test columns once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from fasttext_peer import best_fasttext
from interleave import print_table
from runs import run, spread

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus
from textrnn.inference.run_files import WEIGHTS

PARTS = {"train_file": "train.csv", "valid_file": "validation.csv", "test_file": "test.csv"}
FASTTEXT_EPOCHS = (10, 100)


def data_sets(folder: Path | None, names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Returns the settings of the data of each set, by its name."""
    sets = {name: {"dataset": name} for name in names}
    for place in sorted(folder.iterdir()) if folder else []:
        files = {key: str(place / name) for key, name in PARTS.items() if (place / name).is_file()}
        if {"train_file", "test_file"} <= files.keys():
            sets[place.name] = files
    return sets


def measure(
    name: str, data: dict[str, str], seeds: tuple[int, ...], options: list[str], output: Path
) -> dict[str, Any]:
    """Trains one run for each seed, and returns a row of the table."""
    flags = [part for key, value in data.items() for part in (f"--{key.replace('_', '-')}", value)]
    minutes, figures = [], []
    for seed in seeds:
        folder = output / f"{name.replace('/', '_')}_{seed}"
        folder.parent.mkdir(parents=True, exist_ok=True)
        minutes.append(run(["train", *flags, "--seed", str(seed), *options], folder))
        figures.append(json.loads((folder / "metrics.json").read_text(encoding="utf-8")))
    corpus = load_corpus(ClassifierRunConfig.of(**data), seed=seeds[0])
    assert corpus.test is not None
    fasttext = best_fasttext(
        corpus.train, corpus.validation, corpus.test, scratch=output, epochs=FASTTEXT_EPOCHS
    )
    row: dict[str, Any] = {"data": name, "minutes": spread(minutes)}
    for part in ("validation", "test"):
        row[f"{part} %"] = spread([100 * run[part]["accuracy"] for run in figures])
        linear = [100 * run["baseline"][part]["accuracy"] for run in figures if "baseline" in run]
        row[f"linear, {part} %"] = spread(linear) if linear else ""
    row["fastText, test %"] = "" if fasttext is None else f"{fasttext[0]:.2f}"
    row["epochs of fastText"] = "" if fasttext is None else str(fasttext[1])
    row["MB"] = f"{(folder / WEIGHTS).stat().st_size / 1e6:.1f}"
    return row


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--dataset", "names", multiple=True, help="A data set by name, such as bbc_news.")
@click.option("--data-dir", help="Folder of prepared TFDS data sets.")
@click.option("--only", multiple=True, help="Only these data sets of the folder.")
@click.option("--seed", "seeds", multiple=True, type=int, default=(0,), show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("runs/accuracy"))
@click.option("--csv", "csv_file", type=click.Path(path_type=Path))
@click.argument("options", nargs=-1)
def main(
    data: Path | None,
    names: tuple[str, ...],
    data_dir: str | None,
    only: tuple[str, ...],
    seeds: tuple[int, ...],
    output: Path,
    csv_file: Path | None,
    options: tuple[str, ...],
) -> None:
    """Prints one row for each data set: the mean over the seeds, and the standard deviation."""
    sets = data_sets(data, names)
    if data_dir:
        sets = {n: s | ({"data_dir": data_dir} if "dataset" in s else {}) for n, s in sets.items()}
    rows = [
        measure(name, settings, seeds, list(options), output)
        for name, settings in sets.items()
        if not only or name in only
    ]
    if not rows:
        raise click.UsageError("expected at least one data set, got none; give --data or --dataset")
    print_table(rows, csv_file=csv_file, title="defaults of textrnn train")


if __name__ == "__main__":
    main()
