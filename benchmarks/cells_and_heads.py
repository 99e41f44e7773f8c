"""Trains every cell with every head on one data set and prints the test accuracies as a table.

python benchmarks/cells_and_heads.py --train-file train.csv --test-file test.csv --csv out.csv
"""

from __future__ import annotations

import csv
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from textrnn.cli.options import given_settings, merge_settings, setting_options
from textrnn.cli.startup import start_tensorflow
from textrnn.config.choices import CELLS, HEADS
from textrnn.config.classifier import ClassifierRunConfig


@click.command()
@setting_options()
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the figures here.")
@click.pass_context
def main(context: click.Context, /, csv_file: Path | None, **_: Any) -> None:
    """Train every cell with every head; options are those of `textrnn train`."""
    start_tensorflow()
    from textrnn.progress import Silent
    from textrnn.training.run.classifier import train

    config = merge_settings(ClassifierRunConfig(), given_settings(context))
    console = Console(highlight=False)
    quiet = Silent()
    rows = []
    for cell in CELLS:
        for head in HEADS:
            shape = dataclasses.replace(config.model, cell=cell, head=head)
            with tempfile.TemporaryDirectory() as folder:
                run = train(
                    dataclasses.replace(config, model=shape), Path(folder, "run"), reporter=quiet
                )
            assert run is not None
            rows.append(
                {
                    "cell": cell,
                    "head": head,
                    "validation_accuracy": run.metrics["validation"]["accuracy"],
                    "test_accuracy": run.metrics["test"]["accuracy"],
                    "training_seconds": run.metrics["training"]["seconds"],
                }
            )
            Console(stderr=True).print(rows[-1])
    table = Table("cell", *HEADS, title="test accuracy")
    for cell in CELLS:
        accuracies = [row["test_accuracy"] for row in rows if row["cell"] == cell]
        table.add_row(cell, *(f"{accuracy:.2%}" for accuracy in accuracies))
    console.print(table)
    if csv_file is not None:
        with csv_file.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
