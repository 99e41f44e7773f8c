"""The accuracy that each method adds, on files of the user.

    python benchmarks/parts.py --train-file train.csv --valid-file valid.csv --test-file test.csv \
        --language-model runs/imdb_lm --unlabelled-file texts.txt --seed 0 --seed 1 --seed 2

Each row is `textrnn train` with some options more; runs stand in OUTPUT, and one that is finished
is not made again. Compare rows by the validation column; look at the other one once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from interleave import print_table
from runs import accuracies, run, spread


def parts(
    language_model: str | None, unlabelled_file: str | None, *, share: float
) -> dict[str, list[str]]:
    """Each row's name and the options that it adds to `textrnn train`."""
    rows = {
        "labels only": list[str](),
        "+ average of the weights": ["--ema", "0.999"],
        "+ adversarial": ["--adversarial", str(share)],
        "+ vectors": ["--vectors", "glove-6b-50d"],
        "+ vectors, adversarial": ["--vectors", "glove-6b-50d", "--adversarial", str(share)],
    }
    if language_model is None:
        return rows
    start = ["--init-from", language_model, "--layer-rate", "0.7"]
    gradual = ["--unfreeze", "1", "--learning-rate", "2e-3", "--epochs", "6", "--dropout", "0.5"]
    rows |= {
        "+ language model": start,
        "+ language model, layer by layer": [*start, *gradual],
        "+ language model, average": [*start, "--ema", "0.999"],
        "+ language model, its loss added": [*start, "--language-weight", "0.1"],
        "+ language model, adversarial": [*start, "--adversarial", str(share)],
        "+ language model, virtual adversarial": [*start, "--vat", str(share)],
    }
    if unlabelled_file is not None:
        more = [*start, "--vat", str(share), "--unlabelled-file", unlabelled_file]
        rows["+ language model, virtual adversarial, texts without labels"] = more
    return rows


@click.command()
@click.option("--train-file", required=True)
@click.option("--valid-file")
@click.option("--test-file", required=True)
@click.option("--language-model", help="Run folder of `textrnn pretrain`.")
@click.option("--unlabelled-file")
@click.option("--adversarial", "share", default=0.02, show_default=True)
@click.option("--seed", "seeds", multiple=True, type=int, default=(0, 1, 2), show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("runs/parts"))
@click.option("--csv", "csv_file", type=click.Path(path_type=Path))
@click.option("--row", "wanted", multiple=True, help="Its name; all rows if not given.")
@click.argument("options", nargs=-1)
def main(
    train_file: str,
    valid_file: str | None,
    test_file: str,
    language_model: str | None,
    unlabelled_file: str | None,
    share: float,
    seeds: tuple[int, ...],
    output: Path,
    csv_file: Path | None,
    wanted: tuple[str, ...],
    options: tuple[str, ...],
) -> None:
    """Prints the accuracy of each method; OPTIONS (after --) go to every `textrnn train`."""
    data = ["--train-file", train_file, "--test-file", test_file]
    data += ["--valid-file", valid_file] if valid_file else []
    rows: list[dict[str, Any]] = []
    for name, more in parts(language_model, unlabelled_file, share=share).items():
        if wanted and name not in wanted:
            continue
        minutes, values = 0.0, []
        for seed in seeds:
            folder = output / f"{name.strip('+ ').replace(', ', '_').replace(' ', '-')}_{seed}"
            minutes += run(["train", *data, "--seed", str(seed), *options, *more], folder)
            values.append(accuracies(folder))
        valid, test = (spread(split) for split in zip(*values, strict=True))
        rows.append(
            {
                "what": name,
                "minutes a run": f"{minutes / len(seeds):.1f}",
                "validation %": valid,
                "test %": test,
            }
        )
    print_table(rows, csv_file=csv_file, title=f"{train_file}: what each part adds")


if __name__ == "__main__":
    main()
