"""`textrnn export`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from textrnn.cli.console import print_table, table_console
from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import data_options, given_settings
from textrnn.cli.run_data import check_run, read_split
from textrnn.cli.startup import start_tensorflow
from textrnn.config.choices import EXPORT_FORMS, EXPORT_KINDS, EXPORT_PRECISIONS
from textrnn.inference.run_files import CONFIG, load_config, read_labels

if TYPE_CHECKING:
    from textrnn.progress import Reporter

__all__ = ["export"]


@click.command(
    cls=SectionedCommand, short_help="Write and verify the files that other programs load."
)
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(EXPORT_KINDS),
    help="What to make; may be given several times.  [default: all]",
)
@click.option(
    "--length",
    "lengths",
    multiple=True,
    type=click.IntRange(min=1),
    default=(256,),
    show_default=True,
    help="Tokens of a text that a TFLite file reads; several make several files.",
)
@click.option(
    "--form",
    type=click.Choice(EXPORT_FORMS),
    default="auto",
    show_default=True,
    help="How the recurrence is written in TFLite.",
)
@click.option(
    "--precision",
    "precisions",
    multiple=True,
    type=click.Choice(EXPORT_PRECISIONS),
    default=EXPORT_PRECISIONS[1:],
    help="Quantised variants of model.tflite to offer (float32: none).  [default: all]",
)
@click.option("--name", help="The model's name for a server.  [default: the run folder's]")
@click.option(
    "--version", type=click.IntRange(min=1), default=1, show_default=True, help="Its version."
)
@click.option(
    "--plain-ops",
    is_flag=True,
    help="A SavedModel that needs no TF Text: for --piece-type word or byte with --normalization "
    "plain.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Export folder.  [default: RUN/export]"
)
@click.option(
    "--texts",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Validation texts to verify with, at the most.",
)
@click.option(
    "--verify-only",
    type=click.Path(path_type=Path),
    help="Verify the files of this export folder once more; RUN is not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest's artefacts as JSON.")
@data_options
@click.pass_context
def export(
    context: click.Context,
    /,
    run: Path | None,
    kinds: tuple[str, ...],
    lengths: tuple[int, ...],
    form: str,
    precisions: tuple[str, ...],
    name: str | None,
    version: int,
    plain_ops: bool,
    output: Path | None,
    texts: int,
    verify_only: Path | None,
    as_json: bool,
    **_: Any,
) -> None:
    """Write the files that other programs load, and verify each.

    A SavedModel for TF Serving, TFLite files for phones and browsers, ONNX. Each is loaded by its
    own runtime in a fresh process, and its answers to the run's validation texts and to hard ones
    are held against the classifier's. The data options name other texts. A file that fails is
    named, kept, and the exit code is 1.
    """
    if (run is None) == (verify_only is None):
        raise click.UsageError("give either RUN, or --verify-only with an export folder.")
    if run is not None:
        check_run(run, given_settings(context))
    start_tensorflow()
    from textrnn.export.run import ExportOptions, run_of, verify_folder
    from textrnn.export.run import export as write
    from textrnn.messages.terminal import TerminalReporter
    from textrnn.text.unicode import valid_unicode

    reporter = TerminalReporter()
    source = run if run is not None else run_of(Path(str(verify_only)))
    sample = _sample(source, given_settings(context), texts, reporter)
    if verify_only is not None:
        artefacts = verify_folder(verify_only, **sample, progress=reporter.message)
        folder = verify_only
    else:
        folder = output or source / "export"
        options = ExportOptions(
            formats=kinds or EXPORT_KINDS,
            lengths=lengths,
            form=form,
            precisions=tuple(p for p in precisions if p != "float32"),
            name=valid_unicode(name or source.resolve().name),
            version=version,
            plain_ops=plain_ops,
        )
        artefacts = write(source, folder, **sample, options=options, progress=reporter.message)
    if as_json:
        click.echo(json.dumps([artefact.to_dict() for artefact in artefacts]))
    else:
        _print_table(artefacts, table_console())
        click.echo(f"export folder {folder}")
    if _print_failures(artefacts, folder):
        context.exit(1)


def _sample(
    run: Path, given: dict[str, dict[str, Any]], count: int, reporter: Reporter
) -> dict[str, Any]:
    """Validation texts of the run, and the place of the label of each."""
    import numpy as np

    config = load_config(run / CONFIG)
    split = read_split(run, "validation", given=given, reporter=reporter)
    rows = np.random.default_rng(config.runtime.seed).permutation(len(split))[:count]
    part = split.take([int(row) for row in rows])
    places = {label: i for i, label in enumerate(read_labels(run))}
    single = not config.task.multi_label
    targets = [places[carried[0]] if single else -1 for carried in part.labels]
    return {"texts": list(part.texts), "targets": targets}


def _print_failures(artefacts: Sequence[Any], folder: Path) -> bool:
    """Prints the failed checks of the files that were not left out; returns whether any failed."""
    failed = [artefact for artefact in artefacts if artefact.status == "failed"]
    for artefact in failed:
        for check in artefact.failed_checks:
            click.echo(
                f"textrnn: {folder / artefact.path}: {check.name}: wanted {check.wanted}, got "
                f"{check.measured}",
                err=True,
            )
    return bool(failed)


def _print_table(artefacts: Sequence[Any], console: Console) -> None:
    table = Table("file", "T", "form", "MB", "ms a text", "drift", "accuracy", "result")
    table.columns[0].no_wrap = True
    for artefact in artefacts:
        drift, accuracy = artefact.measured("drift"), artefact.measured("accuracy")
        table.add_row(
            artefact.name,
            "" if artefact.reason else str(artefact.length or "any"),
            artefact.form or "",
            f"{artefact.size / 1e6:.2f}" if artefact.size else "",
            "" if artefact.latency_ms is None else f"{artefact.latency_ms:.2f}",
            "" if drift is None else f"{drift:.1e}",
            "" if accuracy is None else f"{accuracy:.4f}",
            artefact.status,
        )
    print_table(console, table)
    for artefact in artefacts:
        if artefact.reason is not None:
            told = f"left out: {artefact.name}: {artefact.reason}"
            console.print(told, soft_wrap=True, markup=False)
