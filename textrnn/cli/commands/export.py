"""`textrnn export`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from textrnn.cli.console import print_json, print_table, table_console
from textrnn.cli.help import SectionedCommand
from textrnn.cli.option_group import OptionGroup
from textrnn.cli.options import data_options, given_settings
from textrnn.cli.run_data import check_run, data_settings
from textrnn.cli.startup import start_tensorflow
from textrnn.config.choices import EXPORT_FORMS, EXPORT_KINDS, EXPORT_PRECISIONS
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.inference.run_files import CONFIG, check_finished, read_any_settings

if TYPE_CHECKING:
    from textrnn.export.manifest import Artefact
    from textrnn.export.run import ExportOptions

__all__ = ["export"]


@dataclass(frozen=True)
class _FileOptions:
    """The options of the export, as the user typed them."""

    kinds: tuple[str, ...]
    lengths: tuple[int, ...]
    form: str
    precisions: tuple[str, ...]
    name: str | None
    version: int
    plain_ops: bool
    language_model: Path | None

    def for_run(self, run: Path) -> ExportOptions:
        """Returns the options of the export; the model's default name is that of the run folder."""
        from textrnn.export.run import ExportOptions
        from textrnn.runtime.text.unicode import valid_unicode

        return ExportOptions(
            formats=self.kinds or EXPORT_KINDS,
            lengths=self.lengths,
            form=self.form,
            precisions=tuple(name for name in self.precisions if name != "float32"),
            name=valid_unicode(self.name or run.resolve().name),
            version=self.version,
            plain_ops=self.plain_ops,
            language_model=self.language_model,
        )

    def check(self) -> None:
        """Checks the language model of the page before TensorFlow is loaded.

        Raises:
            click.UsageError: No page is made.
            ModelError: The language model is missing or not finished.
        """
        if self.language_model is None:
            return
        if self.kinds and "web" not in self.kinds:
            raise click.UsageError("--language-model is for the page of --kind web.")
        check_finished(self.language_model, LanguageModelRunConfig)


_file_options = OptionGroup(
    _FileOptions,
    click.option(
        "--kind",
        "kinds",
        multiple=True,
        type=click.Choice(EXPORT_KINDS),
        help="Kind of file to write; may be repeated.  [default: all]",
    ),
    click.option(
        "--length",
        "lengths",
        multiple=True,
        type=click.IntRange(min=1),
        default=(256,),
        show_default=True,
        help="Number of tokens that a TFLite file reads of a text; may be repeated for several "
        "files.",
    ),
    click.option(
        "--form",
        type=click.Choice(EXPORT_FORMS),
        default="auto",
        show_default=True,
        help="Form of the recurrence in TFLite files.",
    ),
    click.option(
        "--precision",
        "precisions",
        multiple=True,
        type=click.Choice(EXPORT_PRECISIONS),
        default=EXPORT_PRECISIONS[1:],
        help="Quantized variant of model.tflite to write as well; may be repeated; float32: none.  "
        "[default: all]",
    ),
    click.option(
        "--name", help="Name of the model on a server.  [default: the name of the run folder]"
    ),
    click.option(
        "--version",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Version of the model on a server.",
    ),
    click.option(
        "--plain-ops",
        is_flag=True,
        help="Write a SavedModel that does not need TF Text; requires --piece-type word or byte "
        "and --normalization plain in the run.",
    ),
    click.option(
        "--language-model",
        type=click.Path(path_type=Path),
        help="Run folder of a language model for the page of --kind web, which then shows how "
        "surprising each word is. The page grows by 1.33 times the model's size.",
    ),
    name="files",
)


@click.command(cls=SectionedCommand, short_help="Export a run for servers, phones and browsers.")
@click.argument("run", type=click.Path(path_type=Path), required=False)
@_file_options
@click.option(
    "--output", type=click.Path(path_type=Path), help="Export folder.  [default: RUN/export]"
)
@click.option(
    "--texts",
    "text_count",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Largest number of validation texts to verify the files with.",
)
@click.option(
    "--verify-only",
    type=click.Path(path_type=Path),
    help="Verify the files of this export folder again and write nothing; needs no RUN.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the files of the manifest as JSON.")
@data_options
@click.pass_context
def export(
    context: click.Context,
    /,
    run: Path | None,
    files: _FileOptions,
    output: Path | None,
    text_count: int,
    verify_only: Path | None,
    as_json: bool,
    **_: Any,
) -> None:
    """Write files of RUN that other programs load, and verify each file.

    The files are a SavedModel for TensorFlow Serving, TFLite files for phones and browsers, and an
    ONNX file. A fresh process loads each file in its own runtime and compares its answers with
    those of the classifier, on validation texts of the run and on difficult texts. The data
    options select other texts.

    A language model has one kind, runtime, with which textrnn score needs no TensorFlow. Its file
    is verified with difficult texts alone.

    If a file fails, the command says why, keeps the file, and exits with code 1.
    """
    given = given_settings(context)
    files.check()
    if run is not None and verify_only is None and _is_language_model(run):
        artefacts = _export_language_model(run, output or run / "export", kinds=files.kinds)
        _print(artefacts, output or run / "export", as_json=as_json)
        return
    if run is not None and verify_only is None:
        check_run(run, given)
    elif run is not None or verify_only is None:
        raise click.UsageError("give either RUN, or --verify-only with an export folder.")
    if verify_only is not None and _is_exported_language_model(verify_only):
        _print(_verify_language_model(verify_only), verify_only, as_json=as_json)
        return
    start_tensorflow()
    from textrnn.cli.reporting import CommandReporter
    from textrnn.export.run import export as write
    from textrnn.export.run import run_of, verify_folder
    from textrnn.export.sample import VerificationSample

    reporter = CommandReporter()
    source = run or run_of(Path(str(verify_only)))
    sample = VerificationSample.of_run(
        source, count=text_count, reporter=reporter, **data_settings(given)
    )
    folder = verify_only or output or source / "export"
    if verify_only is not None:
        artefacts = verify_folder(folder, sample=sample, reporter=reporter)
    else:
        options = files.for_run(source)
        artefacts = write(source, folder, options=options, sample=sample, reporter=reporter)
    _print(artefacts, folder, as_json=as_json)


def _is_language_model(run: Path) -> bool:
    """Returns whether a folder is the run of a language model."""
    if not (run / CONFIG).is_file():
        return False
    return isinstance(read_any_settings(run / CONFIG), LanguageModelRunConfig)


def _export_language_model(run: Path, folder: Path, *, kinds: Sequence[str]) -> list[Artefact]:
    """Exports a language model.

    Raises:
        click.UsageError: A language model is not exported to one of the kinds.
    """
    others = [kind for kind in kinds if kind != "runtime"]
    if others:
        raise click.UsageError(
            f"--kind {others[0]} is for classifiers, and {run} is a language model, which has "
            "--kind runtime. A page of --kind web takes it by --language-model."
        )
    check_finished(run, LanguageModelRunConfig)
    start_tensorflow()
    from textrnn.cli.reporting import CommandReporter
    from textrnn.export.language_model import export_language_model

    return export_language_model(run, folder, reporter=CommandReporter())


def _is_exported_language_model(folder: Path) -> bool:
    """Returns whether a folder is the export of a language model.

    Raises:
        ModelError: It is no export folder.
    """
    from textrnn.export import manifest

    return manifest.read(folder)[1].get("model") == manifest.LANGUAGE_MODEL


def _verify_language_model(folder: Path) -> list[Artefact]:
    start_tensorflow()
    from textrnn.cli.reporting import CommandReporter
    from textrnn.export.language_model import verify_language_model

    return verify_language_model(folder, reporter=CommandReporter())


def _print(artefacts: Sequence[Artefact], folder: Path, *, as_json: bool) -> None:
    """Prints the files; the exit code is 1 if one of them failed."""
    if as_json:
        print_json([artefact.to_dict() for artefact in artefacts])
    else:
        _print_table(artefacts, table_console())
        click.echo(f"export folder {folder}")
    failed = [artefact for artefact in artefacts if artefact.status == "failed"]
    _print_failures(failed, folder)
    if failed:
        click.get_current_context().exit(1)


def _print_table(artefacts: Sequence[Artefact], console: Console) -> None:
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
            line = f"left out: {artefact.name}: {artefact.reason}"
            console.print(line, soft_wrap=True, markup=False)


def _print_failures(failed: Sequence[Artefact], folder: Path) -> None:
    """Prints on stderr which checks each file has not passed."""
    for artefact in failed:
        for check in artefact.failed_checks:
            click.echo(
                f"textrnn: {folder / artefact.path}: {check.name}: expected {check.wanted}, "
                f"got {check.measured}",
                err=True,
            )
