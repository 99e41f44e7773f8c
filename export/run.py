"""From a trained classifier to a folder of verified files."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textrnn.errors import ConfigError, ModelError
from textrnn.export import manifest
from textrnn.export.formats.maker import ExportOptions, Maker, Say, obstacle
from textrnn.export.formats.tflite import STREAM_TOKENS
from textrnn.export.graphs.core_ops_tokenizer import plain_obstacle
from textrnn.export.graphs.recurrence_forms import choose_form
from textrnn.export.manifest import Artefact
from textrnn.export.reference import Reference
from textrnn.export.verification.verify import verify
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.text.piece_training import valid_unicode

__all__ = ["ExportOptions", "export", "run_of", "verify_folder"]


def export(
    run: str | Path,
    folder: str | Path,
    *,
    texts: Sequence[str],
    targets: Sequence[int],
    options: ExportOptions | None = None,
    say: Say = lambda text: None,
) -> list[Artefact]:
    """Writes what other programs load, and verifies each file in its own runtime.

    Args:
        run: The run folder.
        folder: The export folder; files of the same names are replaced.
        texts: Real texts that the files are verified with.
        targets: The place of each text's label, -1 where there is none.
        options: What and how.
        say: Told what is going on.

    Returns:
        What was made, with its checks, and what was left out, with its reason.

    Raises:
        ModelError: The run cannot be loaded.
        ConfigError: An option does not suit the model, or the folder cannot be written to.
    """
    options = options or ExportOptions()
    classifier, folder = run_folder.load(run), Path(folder)
    if classifier.model.stack is not None:
        choose_form(classifier.model.stack.cells[0], options.form)
    unsuitable = plain_obstacle(classifier.config.tokenizer)
    if options.plain_ops and unsuitable is not None:
        raise ConfigError(unsuitable)
    if valid_unicode(str(folder.resolve())) != str(folder.resolve()):
        raise ConfigError(
            f"{folder}: expected a folder whose path is UTF-8, for the runtimes open no other; "
            "choose another --output."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        classifier.tokenizer.save(folder / run_folder.TOKENIZER)
        write_atomically(folder / run_folder.LABELS, "\n".join(classifier.labels) + "\n")
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be written to ({error.strerror}); choose another --output."
        ) from None
    say("asking the classifier")
    reference = Reference(classifier, texts, targets)
    artefacts = []
    with tempfile.TemporaryDirectory() as scratch:
        maker = Maker(Path(run), folder, Path(scratch), reference, options, say)
        for kind in options.kinds:
            reason = obstacle(kind, classifier)
            if reason is None:
                artefacts += getattr(maker, kind)()
            else:
                artefacts.append(Artefact(kind, kind, "", reason=reason))
    verify([a for a in artefacts if a.reason is None], folder, reference, say=say)
    for artefact in artefacts:
        if artefact.precision != "float32" and artefact.status == "failed":
            _leave_out(artefact, folder)
        if artefact.path:
            artefact.sha256 = manifest.digests(folder / artefact.path, base=folder)
            artefact.size = sum((folder / name).stat().st_size for name in artefact.sha256)
    manifest.write(folder, artefacts, _about(classifier, Path(run), folder, options, len(texts)))
    return artefacts


def verify_folder(
    folder: str | Path,
    *,
    texts: Sequence[str],
    targets: Sequence[int],
    say: Say = lambda text: None,
) -> list[Artefact]:
    """Verifies the files of an export folder once more, and changes nothing.

    Raises:
        ModelError: The folder has no manifest, the run it was made of is gone or not the same,
            or a file is missing or changed.
    """
    folder = Path(folder)
    artefacts, about = manifest.read(folder)
    classifier = run_folder.load(run_of(folder))
    if list(classifier.labels) != about["labels"]:
        raise ModelError(f"{folder}: was made of another run than {run_of(folder)}.")
    made = [artefact for artefact in artefacts if artefact.reason is None]
    for artefact in made:
        path = folder / artefact.path
        if not path.exists():
            raise ModelError(f"{path}: missing; export the run again.")
        found = manifest.digests(path, base=folder)
        for name in sorted(found.keys() | artefact.sha256.keys()):
            if found.get(name) != artefact.sha256.get(name):
                raise ModelError(
                    f"{folder / name}: changed since it was verified; export the run again."
                )
    verify(made, folder, Reference(classifier, texts, targets), say=say)
    return artefacts


def run_of(folder: str | Path) -> Path:
    """The run folder that an export folder was made of.

    Raises:
        ModelError: The export folder has no manifest.
    """
    return (Path(folder) / str(manifest.read(Path(folder))[1]["run"])).resolve()


def _leave_out(artefact: Artefact, folder: Path) -> None:
    """Moves a quantised file that did not keep to its bounds aside."""
    failed = [c for c in artefact.checks if not c.passed]
    artefact.reason = "; ".join(f"{c.name} {_short(c.measured)}, wanted {c.wanted}" for c in failed)
    place = Path("left_out") / Path(artefact.path).name
    (folder / place.parent).mkdir(exist_ok=True)
    (folder / artefact.path).replace(folder / place)
    artefact.path = place.as_posix()


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _about(
    classifier: TrainedClassifier, run: Path, folder: Path, options: ExportOptions, texts: int
) -> dict[str, Any]:
    """What a program needs to know of the model, whichever file it loads."""
    config = classifier.config
    packages = ("textrnn", "tensorflow", "keras", "tensorflow-text", "sentencepiece")
    return {
        "name": options.name,
        "version": options.version,
        "run": os.path.relpath(run.resolve(), folder.resolve()),
        "labels": list(classifier.labels),
        "multi_label": config.task.multi_label,
        "tokenizer": {
            "file": run_folder.TOKENIZER,
            "kind": f"SentencePiece {config.tokenizer.piece_type}",
            "vocab_size": classifier.tokenizer.vocab_size,
            "padding_id": classifier.tokenizer.PAD,
            "unknown_id": classifier.tokenizer.UNK,
            "lower_cases": config.tokenizer.lowercase,
            "normalization": config.tokenizer.normalization,
            "begin_and_end_ids": None,
        },
        "plain_ops": options.plain_ops,
        "max_length": config.batches.max_length or None,
        "lengths": list(options.lengths),
        "stream_tokens": STREAM_TOKENS,
        "verified_with_texts": texts,
        "made_with": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in packages},
        },
    }
