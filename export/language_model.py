"""The export of a trained language model: the folder that the light runtime loads."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export import manifest
from textrnn.export.description import describe_language_model
from textrnn.export.formats.runtime import add_network, write_files
from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import LONGEST_PIECEWISE, hard_texts
from textrnn.export.verification.checks import drift_check, none_check
from textrnn.export.workers.jobs import run_jobs
from textrnn.inference import run_folder
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.inference.runtime_file import language_model_file
from textrnn.progress import Reporter, Silent
from textrnn.runtime.run_folder import NETWORK, TOKENIZER

__all__ = ["export_language_model", "verify_language_model"]


DRIFT = 1e-5
"""The largest allowed difference between two log-likelihoods, relative to one of them."""

_PROBE = "textrnn.export.verification.probes.likelihood"


def export_language_model(
    run: str | Path, folder: str | Path | None = None, *, reporter: Reporter | None = None
) -> list[Artefact]:
    """Writes the files of the light runtime, and verifies them in a process without TensorFlow.

    `manifest.json` has the digests of the files and the checks, as for a classifier. A run of
    an earlier version lacks `runtime.safetensors`, which is added to it.

    Args:
        run: The run folder of a language model.
        folder: The export folder; None: `export` in the run folder.
        reporter: Receives a message before each long step; None: nothing is reported.

    Returns:
        The folder with its checks, or with the reason why it was left out.

    Raises:
        ModelError: The run cannot be loaded, or the file cannot be added to it.
    """
    run, reporter = Path(run), reporter or Silent()
    folder = run / "export" if folder is None else Path(folder)
    trained = run_folder.load_language_model(run)
    artefact = Artefact("runtime", "runtime", "runtime")
    content = language_model_file(trained)
    if content is None:
        artefact = artefact.left_out("the light runtime knows the built-in cells only")
        return _noted([artefact], trained, run, folder)
    reporter.message("writing the files of the light runtime")
    files = {NETWORK: content, TOKENIZER: trained.tokenizer.to_bytes()}
    write_files(folder / artefact.path, files)
    add_network(run, content)
    reporter.message("verifying the files of the light runtime")
    artefact = _verified(artefact, folder, trained)
    sha256 = manifest.digests(folder / artefact.path, base=folder)
    size = sum((folder / name).stat().st_size for name in sha256)
    artefact = dataclasses.replace(artefact, sha256=sha256, size=size)
    return _noted([artefact], trained, run, folder)


def verify_language_model(
    folder: str | Path, *, reporter: Reporter | None = None
) -> list[Artefact]:
    """Verifies the files of an exported language model once more, and changes nothing.

    Args:
        folder: The export folder.
        reporter: Receives a message before each long step; None: nothing is reported.

    Returns:
        The files with their new checks, and those that the export left out.

    Raises:
        ModelError: The folder has no manifest, its run is missing, or a file is missing or
            changed.
    """
    folder, reporter = Path(folder), reporter or Silent()
    artefacts, _ = manifest.read(folder)
    trained = run_folder.load_language_model(manifest.run_of(folder))
    for artefact in artefacts:
        if artefact.reason is None:
            manifest.check_unchanged(artefact, folder)
    reporter.message("verifying the files of the light runtime")
    return [a if a.reason is not None else _verified(a, folder, trained) for a in artefacts]


def _noted(
    artefacts: list[Artefact], trained: TrainedLanguageModel, run: Path, folder: Path
) -> list[Artefact]:
    """Writes the manifest of some artefacts, and returns them."""
    folder.mkdir(parents=True, exist_ok=True)
    about = describe_language_model(trained, run, folder, tokenizer_file=f"runtime/{TOKENIZER}")
    manifest.write(folder, artefacts, about=about)
    return artefacts


def _verified(artefact: Artefact, folder: Path, trained: TrainedLanguageModel) -> Artefact:
    """Returns the artefact with its checks: the log-likelihoods of hard texts."""
    texts = [text.decode("utf-8", errors="replace") for text in hard_texts(())[:-1]]
    ids = [row[:LONGEST_PIECEWISE] for row in trained.tokenizer.encode_batch(texts)]
    with tempfile.TemporaryDirectory() as scratch:
        job: dict[str, Any] = {
            "model": str(folder / artefact.path),
            "texts": str(Path(scratch) / "texts.json"),
            "length": LONGEST_PIECEWISE,
            "output": str(Path(scratch) / "scores.npy"),
        }
        Path(job["texts"]).write_text(json.dumps(texts), encoding="utf-8")
        (answer,) = run_jobs(_PROBE, [job])
        if "error" in answer:
            check = Check("runs", answer["error"], "no error", False)
            return dataclasses.replace(artefact, checks=(check,))
        found = np.load(job["output"])
    checks = [none_check("heavy packages", answer["heavy_packages"])]
    for direction in range(trained.model.directions):
        scores = trained.score_ids(ids, direction=direction)
        expected = np.array([row.sum(dtype=np.float64) for row in scores])
        # The sums have the size of the text.
        relative = found[direction] / expected
        checks.append(
            drift_check(
                np.ones_like(expected),
                relative,
                name=("drift", "drift backwards")[direction],
                bound=DRIFT,
            )
        )
    return dataclasses.replace(artefact, checks=tuple(checks), latency_ms=answer["latency_ms"])
