"""The export of a trained language model: the folder that the light runtime loads."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export import manifest
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

__all__ = ["export_language_model"]


DRIFT = 1e-5
"""The largest allowed difference between two log-likelihoods, relative to one of them."""

_PROBE = "textrnn.export.verification.probes.likelihood"


def export_language_model(
    run: str | Path, folder: str | Path | None = None, *, reporter: Reporter | None = None
) -> list[Artefact]:
    """Writes the files of the light runtime, and verifies them in a process without TensorFlow.

    A run of an earlier version lacks `runtime.safetensors`, which is added to it.

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
        return [artefact.left_out("the light runtime knows the built-in cells only")]
    reporter.message("writing the files of the light runtime")
    files = {NETWORK: content, TOKENIZER: trained.tokenizer.to_bytes()}
    write_files(folder / artefact.path, files)
    add_network(run, content)
    reporter.message("verifying the files of the light runtime")
    artefact = _verified(artefact, folder, trained)
    sha256 = manifest.digests(folder / artefact.path, base=folder)
    size = sum((folder / name).stat().st_size for name in sha256)
    return [dataclasses.replace(artefact, sha256=sha256, size=size)]


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
