"""The export of a trained classifier to a folder of verified files."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textrnn.errors import ConfigError, ModelError
from textrnn.export import manifest
from textrnn.export.description import describe, describe_decisions, weights_digest
from textrnn.export.formats import FORMATS
from textrnn.export.formats.base import ExportContext
from textrnn.export.graphs.core_ops_tokenizer import plain_obstacle
from textrnn.export.graphs.recurrence_forms import choose_form
from textrnn.export.manifest import Artefact, run_of
from textrnn.export.options import ExportOptions
from textrnn.export.reference import Reference
from textrnn.export.sample import VerificationSample
from textrnn.export.verification.verify import Verifier
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.progress import Reporter, Silent
from textrnn.runtime.text.unicode import valid_unicode

__all__ = ["ExportOptions", "VerificationSample", "export", "run_of", "verify_folder"]


def export(
    run: str | Path,
    folder: str | Path | None = None,
    *,
    options: ExportOptions | None = None,
    sample: VerificationSample | None = None,
    reporter: Reporter | None = None,
    **settings: Any,
) -> list[Artefact]:
    """Writes the files that other programs load, and verifies each file in its own runtime.

    Example:
        textrnn.export("runs/bbc_news")
        textrnn.export("runs/bbc_news", "files", formats=["onnx", "tflite"], lengths=[64])

    Args:
        run: The run folder.
        folder: The export folder; None: `export` in the run folder. Files of the same names are
            replaced. The manifest keeps the files of other formats that were exported before from
            the same weights, with the same decisions.
        options: The options of the export; None: the defaults.
        sample: Real texts to verify the files with; None: 500 validation texts of the run.
        reporter: Receives a message before each long step; None: nothing is reported.
        **settings: Single options that replace those of `options`: the attributes of
            `textrnn.export.options.ExportOptions`, such as `formats`.

    Returns:
        The files with their checks, and for each file that was left out its reason.

    Raises:
        ModelError: The run cannot be loaded.
        DataError: The validation texts of the run cannot be read.
        ConfigError: An option is unknown or does not suit the model, or the folder cannot be
            written to.
    """
    run, reporter = Path(run), reporter or Silent()
    folder = run / "export" if folder is None else Path(folder)
    options = options or ExportOptions(name=valid_unicode(run.resolve().name))
    options = options.replace(**settings)
    classifier = run_folder.load(run)
    _check_options(options, classifier)
    _prepare(folder, classifier)
    sample = sample or VerificationSample.of_run(run, reporter=reporter)
    reporter.message("computing the reference answers")
    reference = Reference(classifier, sample.texts, targets=sample.targets)
    with tempfile.TemporaryDirectory() as scratch:
        context = ExportContext(
            run=run,
            folder=folder,
            scratch=Path(scratch),
            reference=reference,
            options=options,
            progress=reporter.message,
        )
        artefacts = _make(context)
    verifier = Verifier(
        formats=FORMATS, folder=folder, reference=reference, progress=reporter.message
    )
    artefacts = [_finished(artefact, folder) for artefact in verifier.verify(artefacts)]
    about = describe(context, verified_texts=len(sample.texts))
    kept = _kept(folder, artefacts, about, formats=options.formats, reporter=reporter)
    manifest.write(folder, [*artefacts, *kept], about=about)
    return artefacts


def _kept(
    folder: Path,
    made: Sequence[Artefact],
    about: Mapping[str, Any],
    *,
    formats: Sequence[str],
    reporter: Reporter,
) -> list[Artefact]:
    """Returns what the manifest keeps of an earlier export: other formats of the same model.

    Files that it no longer names are reported.
    """
    try:
        earlier, before = manifest.read(folder)
    except ModelError:
        return []
    same = all(before.get(key) == about[key] for key in ("weights_sha256", "decisions"))
    kept = [artefact for artefact in earlier if same and artefact.format not in formats]
    named = {artefact.path for artefact in (*made, *kept)}
    paths = dict.fromkeys(artefact.path for artefact in earlier if artefact.path not in named)
    if left := [path for path in paths if path and (folder / path).exists()]:
        reporter.message(
            f"note: the manifest of {folder} no longer names {', '.join(left)}: the run has "
            "changed, or the format was exported again; export them again, or delete them."
        )
    return kept


def _check_options(options: ExportOptions, classifier: TrainedClassifier) -> None:
    """Raises ConfigError if an option does not suit the model."""
    if classifier.model.stack is not None:
        choose_form(classifier.model.stack.cells[0], options.form)
    obstacle = plain_obstacle(classifier.config.tokenizer)
    if options.plain_ops and obstacle is not None:
        raise ConfigError(obstacle)


def _prepare(folder: Path, classifier: TrainedClassifier) -> None:
    """Makes the export folder with the tokenizer and the labels.

    Raises:
        ConfigError: The folder cannot be written to, or its path is not UTF-8.
    """
    if valid_unicode(str(folder.resolve())) != str(folder.resolve()):
        raise ConfigError(
            f"{folder}: expected a folder whose path is UTF-8, because the runtimes open no other; "
            "choose another folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        classifier.tokenizer.save(folder / run_folder.TOKENIZER)
        write_atomically(folder / run_folder.LABELS, "\n".join(classifier.labels) + "\n")
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be written to ({error.strerror}); choose another folder."
        ) from None


def _make(context: ExportContext) -> list[Artefact]:
    """Makes the files of all chosen formats; a format that is not possible has a reason."""
    artefacts: list[Artefact] = []
    for name in context.options.formats:
        obstacle = FORMATS[name].obstacle(context.classifier)
        if obstacle is None:
            artefacts += FORMATS[name].make(context)
        else:
            artefacts.append(Artefact(name, name, "").left_out(obstacle))
    return artefacts


def _finished(artefact: Artefact, folder: Path) -> Artefact:
    """Returns a verified artefact with its digests; moves a failed quantised file aside."""
    if artefact.precision != "float32" and artefact.status == "failed":
        artefact = _moved_aside(artefact, folder)
    if not artefact.path:
        return artefact
    sha256 = manifest.digests(folder / artefact.path, base=folder)
    size = sum((folder / name).stat().st_size for name in sha256)
    return dataclasses.replace(artefact, sha256=sha256, size=size)


def _moved_aside(artefact: Artefact, folder: Path) -> Artefact:
    """Moves a quantised file that exceeds its bounds to the folder `left_out`."""
    reason = "; ".join(
        f"{check.name} {_short(check.measured)}, wanted {check.wanted}"
        for check in artefact.failed_checks
    )
    path = Path("left_out") / Path(artefact.path).name
    (folder / path.parent).mkdir(exist_ok=True)
    (folder / artefact.path).replace(folder / path)
    return dataclasses.replace(artefact, path=path.as_posix(), reason=reason)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def verify_folder(
    folder: str | Path,
    *,
    sample: VerificationSample | None = None,
    reporter: Reporter | None = None,
) -> list[Artefact]:
    """Verifies the files of an export folder once more, and changes nothing.

    Args:
        folder: The export folder.
        sample: Real texts to verify the files with; None: 500 validation texts of the run.
        reporter: Receives a message before each long step; None: nothing is reported.

    Returns:
        The files with their new checks, and those that the export left out.

    Raises:
        ModelError: The folder has no manifest, its run is missing or another one, or a file is
            missing or changed.
        DataError: The validation texts of the run cannot be read.
    """
    reporter = reporter or Silent()
    folder = Path(folder)
    artefacts, about = manifest.read(folder)
    classifier = run_folder.load(run_of(folder))
    if list(classifier.labels) != about["labels"]:
        raise ModelError(
            f"{folder}: expected an export of {run_of(folder)}, got other labels than its labels; "
            "export the run again."
        )
    if about.get("decisions") not in (None, describe_decisions(classifier)):
        raise ModelError(
            f"{folder}: expected an export of {run_of(folder)} with its decisions, got others: "
            "textrnn decide has changed the run since; export it again."
        )
    if about.get("weights_sha256") not in (None, weights_digest(run_of(folder))):
        raise ModelError(
            f"{folder}: expected an export of {run_of(folder)} as it is now, got one of the run "
            "before it was trained again; export it again."
        )
    for artefact in artefacts:
        if artefact.reason is None:
            manifest.check_unchanged(artefact, folder)
    sample = sample or VerificationSample.of_run(run_of(folder), reporter=reporter)
    reference = Reference(classifier, sample.texts, targets=sample.targets)
    verifier = Verifier(
        formats=FORMATS, folder=folder, reference=reference, progress=reporter.message
    )
    return verifier.verify(artefacts)
