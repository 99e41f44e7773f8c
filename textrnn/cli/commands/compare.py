"""`textrnn compare`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from textrnn.cli.console import print_table, table_console
from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import check_inputs, given_settings, merge_settings, setting_options
from textrnn.cli.run_data import check_run, learned_from, read_split
from textrnn.cli.startup import start_tensorflow
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import field_types
from textrnn.errors import ConfigError, DataError
from textrnn.inference.run_files import CONFIG, load_config
from textrnn.messages.wording import counted, listed

if TYPE_CHECKING:
    from textrnn.analysis.comparison import Comparison, Interval
    from textrnn.data import Split
    from textrnn.progress import Reporter

__all__ = ["compare"]

SplitName = Literal["validation", "test"]
LEVEL = 0.05
"""The corrected p-value below which a difference counts as shown."""


@click.command(
    cls=SectionedCommand, short_help="Put runs side by side on one test set, with a paired test."
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
    as_json: bool,
    **_: Any,
) -> None:
    """Put RUNS side by side on one test set: the first run's own, or that of the data options.

    Accuracy and macro F1 with 95 % confidence intervals, calibration, cost, accuracy by length, and
    for each pair McNemar's exact test of the texts that only one of the two has right.

    With --vary there are no RUNS: they are trained, into OUTPUT/SETTING=VALUE, with the options of
    `textrnn train`. The same command goes on where it was interrupted; what is finished is kept.
    """
    given = given_settings(context)
    if vary is None:
        if len(runs) < 2:
            raise click.UsageError("give at least two RUNS, or --vary.")
        if set(given) - {"data", "task"} or config_file is not None:
            raise click.UsageError("options of the training need --vary.")
    elif runs:
        raise click.UsageError("give either RUNS or --vary.")
    for run in runs:
        check_run(run, given)
    if vary is not None:
        config = load_config(config_file) if config_file else ClassifierRunConfig()
        check_inputs(merge_settings(config, given), given, source=str(config_file or ""))
    start_tensorflow()
    from textrnn.progress import Reporter

    reporter = Reporter()
    if vary is not None:
        data, runs = _train(vary, given, config_file, output, split, reporter)
    else:
        data = read_split(runs[0], split, given=given, reporter=reporter)
        first = merge_settings(load_config(runs[0] / CONFIG), given)
        for notice in learned_from(runs[1:], first.data) if split == "test" else ():
            reporter.message(f"note: {notice}")
    held_out = split == "validation" and not {"dataset", "train_file", "valid_file"} & set(
        given.get("data", {}) if vary is None else ()
    )
    comparison = _compare(runs, data, reporter, held_out=held_out)
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
    reporter: Reporter,
) -> tuple[Split, tuple[Path, ...]]:
    """Trains what is to be compared, having seen that there is data to compare it on."""
    from textrnn.data import load_corpus
    from textrnn.inference import run_folder
    from textrnn.training.run.transfer import FINE_TUNING_DROPOUT, adopt_shape
    from textrnn.training.search.vary import train_all, varied

    config = run_folder.load_config(config_file) if config_file else ClassifierRunConfig()
    config = merge_settings(config, given)
    setting, values = _values(vary)
    chosen = {setting, *(name for own in given.values() for name in own)}
    chosen |= FINE_TUNING_DROPOUT.keys() if config_file else set()
    configs = {
        name: adopt_shape(own, given=chosen)
        for name, own in varied(config, setting, values).items()
    }
    corpus = load_corpus(config, seed=config.runtime.seed)
    data = getattr(corpus, split)
    if data is None:
        raise DataError(
            f"{corpus.name}: expected test data, got none; give it with --test-file, or compare "
            "on --split validation."
        )
    return data, tuple(train_all(configs, output, reporter=reporter))


def _values(vary: str) -> tuple[str, list[Any]]:
    """The setting and its values, as the setting has them."""
    name, _, values = vary.partition("=")
    name = name.strip().replace("-", "_")
    kinds = {
        n: kind
        for s in ClassifierRunConfig.sections().values()
        for n, kind in field_types(s).items()
    }
    kind, optional = kinds.get(name, (str, False))
    found: list[Any] = []
    for value in map(str.strip, values.split(",")):
        if optional and value == "auto":
            found.append(None)
            continue
        try:
            found.append(click.types.convert_type(kind).convert(value, None, None))
        except click.BadParameter as error:
            raise click.UsageError(f"--vary {vary}: {error.message}") from None
    return name, found


def _compare(
    runs: Sequence[Path], data: Split, reporter: Reporter, *, held_out: bool
) -> Comparison:
    """Has all runs answer the same texts; `held_out`: from the first run's training data."""
    import numpy as np

    from textrnn.analysis.comparison import ask
    from textrnn.analysis.comparison import compare as compare_answers
    from textrnn.data.corpus import targets
    from textrnn.inference import run_folder

    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        names = [str(run) for run in runs]
    first = run_folder.load(runs[0])
    own_labels = first.labels
    carried = targets(data.labels, own_labels)
    lengths = np.array([len(text) for text in first.tokenizer.encode_batch(data.texts)])
    answers = []
    for run, name in zip(runs, names, strict=True):
        classifier = run_folder.load(run)
        if set(classifier.labels) != set(own_labels):
            # Labels that only one of them has come first: a long list is cut.
            expected = sorted(own_labels, key=lambda label: label in classifier.labels)
            got = sorted(classifier.labels, key=lambda label: label in own_labels)
            raise DataError(
                f"{run}: expected the labels of {runs[0]} ({listed(expected)}), got {listed(got)}."
            )
        if classifier.config.task.multi_label != first.config.task.multi_label:
            raise ConfigError(f"{run} and {runs[0]}: only one of them is multi-label.")
        if held_out and _drawn(classifier.config) != _drawn(first.config):
            raise ConfigError(
                f"{run} was trained with another seed or other data than {runs[0]}, whose "
                "validation texts may be among its training texts; compare on the test data."
            )
        ids = classifier.tokenizer.encode_batch(data.texts)
        cut = classifier.cut_tokens
        with reporter.step(name, total=len(ids)) as advance:
            own = ask(classifier, ids, name=name, folder=run, on_batch=advance)
        if classifier.cut_tokens > cut:
            share = (classifier.cut_tokens - cut) / sum(map(len, ids))
            reporter.message(f"note: {name}: --max-length cuts off {share:.1%} of the tokens.")
        columns = [classifier.labels.index(label) for label in own_labels]
        answers.append(dataclasses.replace(own, probabilities=own.probabilities[:, columns]))
    return compare_answers(answers, carried, lengths, multi_label=first.config.task.multi_label)


def _drawn(config: ClassifierRunConfig) -> tuple[Any, ...]:
    """What the choice of the validation texts depends on."""
    data = config.data
    seed = config.runtime.seed if data.valid_file is None else None
    return (data.dataset, data.train_file, data.valid_file, data.valid_fraction, seed)


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
            f"{run.file_bytes / 1e6:.2f}",
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


def _interval(found: Interval) -> str:
    return f"{100 * found.value:.1f}\n{100 * found.low:.1f}-{100 * found.high:.1f}"
