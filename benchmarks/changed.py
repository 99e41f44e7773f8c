"""Which figures of two nights of `benchmarks/all.sh` differ.

    python benchmarks/changed.py results/2026-11-01 results/2026-12-01

The text files of both folders are compared figure by figure. A benchmark whose words or rows differ
is a new table, and its figures are not compared.
"""

from __future__ import annotations

import re
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

_FIGURE = re.compile(r"(?<![\w.])[-+]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?(?![\w.])")


def figures(text: str) -> tuple[str, list[float], list[str]]:
    """Returns the text without its figures and spaces, the figures, and the line of each."""
    values, lines = [], []
    for line in text.splitlines():
        found = [float(figure.replace(",", "")) for figure in _FIGURE.findall(line)]
        values += found
        lines += [" ".join(line.split())] * len(found)
    return re.sub(r"[\s-]+", "", _FIGURE.sub("#", text)), values, lines


def compare(before: Path, after: Path, tolerance: float) -> tuple[str, str, str]:
    """Returns the number of figures, how many changed, and the line with the largest change."""
    if not before.is_file():
        return "", "new", ""
    if not after.is_file():
        return "", "missing", ""
    words, old, _ = figures(before.read_text(encoding="utf-8"))
    same_words, new, lines = figures(after.read_text(encoding="utf-8"))
    if words != same_words:
        return str(len(new)), "another table", ""
    changes = [
        abs(b - a) / max(abs(a), abs(b)) if a != b else 0.0 for a, b in zip(old, new, strict=True)
    ]
    count = sum(change > tolerance for change in changes)
    if not count:
        return str(len(new)), "0", ""
    worst = max(range(len(changes)), key=changes.__getitem__)
    return str(len(new)), str(count), f"{old[worst]:g} -> {new[worst]:g}: {lines[worst]}"


@click.command(help=__doc__.splitlines()[0])
@click.argument("before", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--tolerance", default=0.1, show_default=True, help="Relative difference allowed.")
def main(before: Path, after: Path, tolerance: float) -> None:
    table = Table("benchmark", "figures", f"changed over {tolerance:.0%}", "the largest change")
    for name in sorted({path.name for folder in (before, after) for path in folder.glob("*.txt")}):
        table.add_row(name[:-4], *compare(before / name, after / name, tolerance))
    Console().print(table)


if __name__ == "__main__":
    main()
