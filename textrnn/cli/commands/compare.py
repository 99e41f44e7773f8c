"""`textrnn compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from textrnn.cli.console import print_table, table_console
from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import check_inputs, given_settings, merge_settings, setting_options
from textrnn.cli.placement_options import placement_options
from textrnn.cli.run_data import check_run, data_settings
from textrnn.cli.startup import start_tensorflow
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import field_types
from textrnn.errors import DataError
from textrnn.inference.run_files import load_config
from textrnn.messages.wording import counted
from textrnn.training.search.placement import Placement

if TYPE_CHECKING:
    from textrnn.analysis.comparison import Comparison
    from textrnn.analysis.statistics import Interval
    from textrnn.data import Split
    from textrnn.progress import Reporter

__all__ = ["compare"]

SplitName = Literal["validation", "test"]
LEVEL = 0.05
"""The corrected p-value below which a difference counts as significant."""


@click.command(
    cls=SectionedCommand,
    short_help="Put runs side by side on one test set, with a paired test.",
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@setting_options()
@click.option(
    "--vary",
    metavar="SETTING=VALUE,VALUE,...",
    help="Train runs that differ in this setting, such as head=last,mean or cell=mingru,none.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="With --vary: YAML file of the other settings; the command line wins.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("runs/compare"),
    show_default=True,
    help="With --vary: the folder that the run folders are made in.",
)
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default="test",
    show_default=True,
    help="Which part of the data to compare on.",
)
@click.option(
    "--baseline",
    is_flag=True,
    help="Compare a linear model of word pairs too, which learns from the first run's training "
    "texts; then one run suffices.",
)
@click.option(
    "--average",
    is_flag=True,
    help="Compare the mean of the runs' probabilities too, such as with --vary seed=0,1,2; "
    "textrnn distil teaches it to one run.",
)
@placement_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def compare(
    context: click.Context,
    /,
    runs: tuple[Path, ...],
    vary: str | None,
    config_file: Path | None,
    output: Path,
    split: SplitName,
    baseline: bool,
    average: bool,
    placement: Placement,
    as_json: bool,
    **_: Any,
) -> None:
    """Put RUNS side by side on one test set: the first run's own, or that of the data options.

    Accuracy and macro F1 with 95 % confidence intervals, calibration, cost, accuracy by length, and
    for each pair McNemar's exact test of the texts that only one of the two has right.

    With --vary there are no RUNS: they are trained, into OUTPUT/SETTING=VALUE, with the options of
    `textrnn train`. To continue after an interruption, give the same command again: finished runs
    are kept. With --cluster, the workers of a Ray cluster train the runs at the same time.
    """
    given = given_settings(context)
    if vary is None:
        if len(runs) < (1 if baseline else 2):
            raise click.UsageError("give at least two RUNS, one and --baseline, or --vary.")
        if set(given) - {"data", "task"} or config_file is not None:
            raise click.UsageError("options of the training need --vary.")
        if placement != Placement():
            raise click.UsageError("--cluster, --workers and --worker-cores need --vary.")
    elif runs:
        raise click.UsageError("give either RUNS or --vary.")
    for run in runs:
        check_run(run, given)
    if vary is not None:
        config = load_config(config_file) if config_file else ClassifierRunConfig()
        check_inputs(merge_settings(config, given), given, source=str(config_file or ""))
    start_tensorflow()
    from textrnn.analysis.compare import compare as compare_runs
    from textrnn.analysis.compare import compare_on
    from textrnn.cli.reporting import CommandReporter

    reporter = CommandReporter()
    if vary is not None:
        data, train, trained = _train(vary, given, config_file, output, split, placement, reporter)
        comparison = compare_on(
            data,
            trained,
            held_out=split == "validation",
            baseline=train if baseline else None,
            average=average,
            reporter=reporter,
        )
    else:
        comparison = compare_runs(
            runs,
            split=split,
            baseline=baseline,
            average=average,
            reporter=reporter,
            **data_settings(given),
        )
    if as_json:
        click.echo(json.dumps(comparison.to_dict()))
    else:
        _print_tables(comparison, table_console())


def _train(
    vary: str,
    given: dict[str, Any],
    config_file: Path | None,
    output: Path,
    split: SplitName,
    placement: Placement,
    reporter: Reporter,
) -> tuple[Split, Split, tuple[Path, ...]]:
    """Trains the runs to compare, after checking that there is data to compare them on.

    Returns:
        The texts to compare on, the training texts, and the run folders.
    """
    from textrnn.data import load_corpus
    from textrnn.inference import run_folder
    from textrnn.training.run.origin import earlier_labels
    from textrnn.training.run.transfer import FINE_TUNING_DROPOUT, adopt_shape
    from textrnn.training.search.vary import train_all, varied

    config = run_folder.load_config(config_file) if config_file else ClassifierRunConfig()
    config = merge_settings(config, given)
    setting, values = _values(vary)
    chosen = {setting, *(name for section in given.values() for name in section)}
    chosen |= FINE_TUNING_DROPOUT.keys() if config_file else set()
    configs = {
        name: adopt_shape(varied_config, given=chosen)
        for name, varied_config in varied(config, setting=setting, values=values).items()
    }
    corpus = load_corpus(config, seed=config.runtime.seed, earlier_labels=earlier_labels(config))
    data = getattr(corpus, split)
    if data is None:
        raise DataError(
            f"{corpus.name}: expected test data, got none; give it with --test-file, or compare "
            "on --split validation."
        )
    with placement.runner(config, say=reporter.message) as runner:
        runs = train_all(configs, output, reporter=reporter, runner=runner)
    return data, corpus.train, tuple(runs)


def _values(vary: str) -> tuple[str, list[Any]]:
    """Returns the name of the setting, and its values in the type of the setting."""
    name, _, values = vary.partition("=")
    name = name.strip().replace("-", "_")
    kinds = {
        n: kind
        for s in ClassifierRunConfig.sections().values()
        for n, kind in field_types(s).items()
    }
    kind, optional = kinds.get(name, (str, False))
    converted: list[Any] = []
    for value in map(str.strip, values.split(",")):
        if optional and value == "auto":
            converted.append(None)
            continue
        try:
            converted.append(click.types.convert_type(kind).convert(value, None, None))
        except click.BadParameter as error:
            raise click.UsageError(f"--vary {vary}: {error.message}") from None
    return name, converted


def _print_tables(comparison: Comparison, console: Console) -> None:
    figures = Table(
        "run",
        *("accuracy", "macro F1", "log loss", "ECE"),
        title=f"{counted(comparison.texts, 'text')}; percent, with 95 % confidence intervals",
    )
    costs = Table(
        "run",
        *("weights", "MB on disk", "tokens/s"),
        title="cost; the speed as measured once",
    )
    for run in comparison.runs:
        figures.add_row(
            escape(run.name),
            _interval(run.accuracy),
            _interval(run.macro_f1),
            f"{run.log_loss:.4f}",
            f"{run.calibration_error:.4f}",
        )
        costs.add_row(
            escape(run.name),
            f"{run.weights:,}",
            "" if run.file_bytes is None else f"{run.file_bytes / 1e6:.2f}",
            f"{run.tokens_per_second:,.0f}",
        )
    print_table(console, figures)
    print_table(console, costs)
    buckets = comparison.runs[0].by_length
    lengths = Table(
        "run",
        *(f"{bucket.shortest:,}-{bucket.longest:,}" for bucket in buckets),
        title="accuracy by length in tokens; percent",
    )
    for run in comparison.runs:
        lengths.add_row(escape(run.name), *(_interval(b.accuracy) for b in run.by_length))
    print_table(console, lengths)
    pairs = Table(
        *("one", "other", "better"),
        *("only one right", "only other right", "p", "p (Holm)"),
        title="McNemar's exact test",
    )
    for pair in comparison.pairs:
        better = pair.first if pair.only_first > pair.only_second else pair.second
        pairs.add_row(
            escape(pair.first),
            escape(pair.second),
            escape(better) if pair.adjusted < LEVEL else "not shown",
            f"{pair.only_first:,}",
            f"{pair.only_second:,}",
            f"{pair.p_value:.2g}",
            f"{pair.adjusted:.2g}",
        )
    print_table(console, pairs)


def _interval(share: Interval) -> str:
    return f"{100 * share.value:.1f}\n{100 * share.low:.1f}-{100 * share.high:.1f}"
