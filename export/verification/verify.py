"""Asks every file, in the runtime it is made for, and holds the answers against the classifier's.

What each must keep to:

    float32 files   the same label for every text, scores within 1e-5
    others          scores within `LARGEST_DRIFT`, at most 0.5 points of accuracy lost
    all             operations that the runtime has by itself; the same tokens; a text read piece by
                    piece gives the scores of the whole
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.formats.tflite import STREAM_TOKENS
from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import LONGEST_WHOLE, Reference
from textrnn.export.workers.jobs import run_jobs

__all__ = ["LARGEST_DRIFT", "LARGEST_LOSS", "verify"]

LARGEST_DRIFT = {
    "float32": 1e-5,
    "float16": 0.01,
    "dynamic_int8": 0.1,
    "int4": 0.2,
    "full_int8": 0.2,
}
"""How far a probability may be from the classifier's."""

LARGEST_LOSS = 0.005
"""How much accuracy a quantised file may lose, on the labelled texts it is verified with."""

TEXT_OPERATIONS = {"SentencepieceOp", "SentencepieceTokenizeOp"}
"""TF Text's operations, which TF Serving has too."""

SERVER_STREAM_TOKENS = 64
LONGEST_STREAM = 2048

_RUNTIMES = {
    "saved_model": "saved_model",
    "tflite": "litert",
    "stream": "litert",
    "mediapipe": "mediapipe",
    "onnx": "onnx",
}


def verify(
    artefacts: Sequence[Artefact],
    folder: Path,
    reference: Reference,
    *,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Verifies files and notes in each artefact what was found.

    Args:
        artefacts: Those that are there.
        folder: The export folder.
        reference: The texts and the classifier's answers.
        say: Told what is going on.
    """
    with tempfile.TemporaryDirectory() as scratch:
        for runtime in dict.fromkeys(_RUNTIMES[artefact.kind] for artefact in artefacts):
            own = [each for each in artefacts if _RUNTIMES[each.kind] == runtime]
            asked = [_QUESTIONS[each.kind](each, reference, Path(scratch)) for each in own]
            say(f"verifying in {runtime}: {', '.join(each.name for each in own)}")
            jobs = [
                {"model": str(folder / each.path), **job}
                for each, job in zip(own, asked, strict=True)
            ]
            answers = run_jobs(f"textrnn.export.verification.probes.{runtime}", jobs)
            for artefact, job, answer in zip(own, asked, answers, strict=True):
                if "error" in answer:
                    artefact.checks = [Check("runs", answer["error"], "an answer", passed=False)]
                    continue
                artefact.latency_ms = answer["latency_ms"]
                found = np.load(job["output"], allow_pickle=False)
                artefact.checks = _CHECKS[artefact.kind](artefact, reference, answer, found)


def _ask_saved_model(artefact: Artefact, reference: Reference, scratch: Path) -> dict[str, Any]:
    texts = scratch / "texts.json"
    encoded = [base64.b64encode(text).decode() for text in reference.texts]
    texts.write_text(json.dumps(encoded), encoding="utf-8")
    return {
        "texts": str(texts),
        "output": str(scratch / f"{artefact.name}.npz"),
        "longest": LONGEST_WHOLE,
        "stream_tokens": SERVER_STREAM_TOKENS if artefact.streams else 0,
    }


def _check_saved_model(
    artefact: Artefact, reference: Reference, answer: dict[str, Any], found: dict[str, np.ndarray]
) -> list[Check]:
    scores, whole = reference.scores, found["whole"]
    names = list(reference.classifier.labels)
    chosen = np.array([names.index(label) for label in found["labels"]])
    ends = np.cumsum(found["lengths"])[:-1]
    most = reference.classifier.config.batches.max_length or None
    differing = sum(
        not np.array_equal(there, here[:most])
        for there, here in zip(np.split(found["ids"], ends), reference.ids, strict=True)
    )
    foreign = [op for op in answer["operations"] if "PyFunc" in op] + [
        op for op in answer["operations"] if "piece" in op and op not in TEXT_OPERATIONS
    ]
    checks = [
        _labels(scores[whole], chosen),
        _drift(scores[whole], found["scores"]),
        _drift(scores, found["from_ids"], name="drift from ids"),
        Check("texts with other tokens", differing, "0", differing == 0),
        Check("foreign operations", foreign, "none", not foreign),
        Check(
            "warm-up requests",
            answer["warm_up_requests"],
            "at least 1",
            answer["warm_up_requests"] > 0,
        ),
    ]
    if "stream" in found:
        streamed = found["stream"]
        checks.append(_drift(reference.whole_scores, streamed, name="drift piece by piece"))
    return checks


def _ask_litert(artefact: Artefact, reference: Reference, scratch: Path) -> dict[str, Any]:
    length = artefact.length or 1
    texts = scratch / f"{length}.npy"
    np.save(texts, reference.cut(length)[0])
    job: dict[str, Any] = {"texts": str(texts), "output": str(scratch / f"{artefact.name}.npy")}
    if artefact.kind == "stream":
        streamed = scratch / "stream.npy"
        np.save(streamed, _stream_ids(reference))
        job |= {"stream_texts": str(streamed), "stream_tokens": STREAM_TOKENS}
    return job


def _stream_ids(reference: Reference) -> np.ndarray:
    """The ids of every text, as far as a phone is asked to read it, in one array `[N, L]`."""
    longest = max(len(ids) for ids in reference.ids)
    length = -(-max(min(longest, LONGEST_STREAM), 1) // STREAM_TOKENS) * STREAM_TOKENS
    return reference.cut(length)[0]


def _check_litert(
    artefact: Artefact, reference: Reference, answer: dict[str, Any], found: np.ndarray
) -> list[Check]:
    scores = reference.cut(artefact.length or 1)[1]
    foreign = [op for op in answer["operations"] if op.startswith("custom:")]
    checks = [
        *_agreement(artefact, reference, scores, found[: len(scores)]),
        Check("operations that are not built in", foreign, "none", not foreign),
    ]
    if artefact.kind == "stream":
        ids = _stream_ids(reference)
        streamed = found[len(scores) :]
        checks.append(_drift(reference.cut(ids.shape[1])[1], streamed, name="drift piece by piece"))
    else:
        loops = "WHILE" in answer["operations"]
        wanted = "1, or those of a loop" if loops else "1"
        right = loops or answer["subgraphs"] == 1
        checks.append(Check("subgraphs", answer["subgraphs"], wanted, right))
    return checks


def _ask_mediapipe(artefact: Artefact, reference: Reference, scratch: Path) -> dict[str, Any]:
    texts = scratch / "mediapipe.json"
    usable = _usable_in_mediapipe(reference)
    texts.write_text(json.dumps([reference.readable[i] for i in usable]), encoding="utf-8")
    return {
        "texts": str(texts),
        "output": str(scratch / f"{artefact.name}.npy"),
        "labels": list(reference.classifier.labels),
    }


def _usable_in_mediapipe(reference: Reference) -> list[int]:
    """The texts that its interface can take: those without U+0000, which ends a text there."""
    return [i for i, text in enumerate(reference.texts) if b"\0" not in text]


def _check_mediapipe(
    artefact: Artefact, reference: Reference, answer: dict[str, Any], found: np.ndarray
) -> list[Check]:
    usable = _usable_in_mediapipe(reference)
    scores = reference.cut(artefact.length or 1)[1][usable]
    return [_labels(scores, found.argmax(axis=1)), _drift(scores, found)]


def _ask_onnx(artefact: Artefact, reference: Reference, scratch: Path) -> dict[str, Any]:
    texts = scratch / "onnx.npz"
    rows, _ = reference.cut(LONGEST_STREAM)
    batches: dict[str, Any] = {}
    for start in range(0, len(rows), 16):
        batch = rows[start : start + 16]
        batches[f"{start:06}"] = batch[:, : max(int((batch > 0).sum(axis=1).max()), 1)]
    np.savez(texts, **batches)
    return {"texts": str(texts), "output": str(scratch / f"{artefact.name}.npy")}


def _check_onnx(
    artefact: Artefact, reference: Reference, answer: dict[str, Any], found: np.ndarray
) -> list[Check]:
    scores = reference.cut(LONGEST_STREAM)[1]
    foreign = answer["foreign_domains"]
    return [
        _labels(scores, found.argmax(axis=1)),
        _drift(scores, found),
        Check("foreign operations", foreign, "none", not foreign),
    ]


def _agreement(
    artefact: Artefact, reference: Reference, scores: np.ndarray, found: np.ndarray
) -> list[Check]:
    checks = [_drift(scores, found, bound=LARGEST_DRIFT[artefact.precision])]
    if artefact.precision == "float32":
        checks.append(_labels(scores, found.argmax(axis=1)))
    before, after = reference.accuracy(scores), reference.accuracy(found)
    if before is not None and after is not None:
        right = before - after <= LARGEST_LOSS + 1e-9
        checks.append(Check("accuracy", after, f"at least {before:.4f} - {LARGEST_LOSS}", right))
    return checks


def _labels(scores: np.ndarray, chosen: np.ndarray) -> Check:
    """The share of texts with the classifier's label, or one whose score is equal to its."""
    picked = scores[np.arange(len(scores)), chosen]
    same = float((picked >= scores.max(axis=1) - 2 * LARGEST_DRIFT["float32"]).mean())
    return Check("same labels", same, "1", same == 1.0)


def _drift(
    scores: np.ndarray, found: np.ndarray, *, name: str = "drift", bound: float = 1e-5
) -> Check:
    """The largest difference of a probability."""
    drift = float(np.abs(scores - found).max())
    return Check(name, drift, f"at most {bound:g}", drift <= bound)


_QUESTIONS: dict[str, Callable[[Artefact, Reference, Path], dict[str, Any]]] = {
    "saved_model": _ask_saved_model,
    "tflite": _ask_litert,
    "stream": _ask_litert,
    "mediapipe": _ask_mediapipe,
    "onnx": _ask_onnx,
}
_CHECKS: dict[str, Callable[[Artefact, Reference, dict[str, Any], Any], list[Check]]] = {
    "saved_model": _check_saved_model,
    "tflite": _check_litert,
    "stream": _check_litert,
    "mediapipe": _check_mediapipe,
    "onnx": _check_onnx,
}
