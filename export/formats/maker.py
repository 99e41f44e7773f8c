"""Making the files of each kind, before anything is verified."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.config.choices import EXPORT_KINDS, EXPORT_PRECISIONS
from textrnn.errors import ConfigError
from textrnn.export.formats.saved_model import save_model, write_warm_up
from textrnn.export.formats.tflite import stage_mediapipe, stage_model, stage_stream
from textrnn.export.graphs.recurrence_forms import choose_form
from textrnn.export.graphs.streaming_state import streaming_obstacle
from textrnn.export.manifest import Artefact
from textrnn.export.reference import Reference
from textrnn.export.workers.jobs import run_jobs
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted

__all__ = ["ExportOptions", "Maker", "Say", "obstacle"]

CALIBRATION_TEXTS = 100
WARM_UP_TEXTS = 10

_NEEDS = {
    "saved_model": (("tensorflow_text", "tensorflow_serving"), "textrnn"),
    "tflite": (("ai_edge_litert",), "textrnn"),
    "stream": (("ai_edge_litert",), "textrnn"),
    "mediapipe": (("mediapipe",), "textrnn[mediapipe]"),
    "onnx": (("tf2onnx", "onnx", "onnxruntime"), "textrnn[onnx]"),
}
"""The packages that make and verify a kind, and what to install for them."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class ExportOptions:
    """What is to be exported, and how.

    Attributes:
        kinds: Of `EXPORT_KINDS`.
        lengths: T of the TFLite files; the first is that of every kind, each further one makes
            one more `model_T.tflite`.
        form: Of the recurrences in TFLite; see `textrnn.export.graphs.recurrence_forms`.
        precisions: Of `model.tflite`, beside float32; see `textrnn.export.workers.conversion`.
        name: The model's, by which a server knows it.
        version: The model's, a number.
        plain_ops: Whether the SavedModel tokenises texts by TensorFlow's core operations alone.
    """

    kinds: tuple[str, ...] = EXPORT_KINDS
    lengths: tuple[int, ...] = (256,)
    form: str = "auto"
    precisions: tuple[str, ...] = EXPORT_PRECISIONS[1:]
    name: str = "textrnn"
    version: int = 1
    plain_ops: bool = False

    def __post_init__(self) -> None:
        for name, known in (("kinds", EXPORT_KINDS), ("precisions", EXPORT_PRECISIONS[1:])):
            unknown = sorted(set(getattr(self, name)) - set(known))
            if unknown:
                raise ConfigError(f"`{name}` must be of {', '.join(known)}, got {unknown[0]!r}.")
        if not self.lengths or min(self.lengths) < 1:
            raise ConfigError(f"`lengths` must be positive integers, got {self.lengths}.")
        if self.version < 1:
            raise ConfigError(f"`version` must be a positive integer, got {self.version}.")
        if not self.name or "/" in self.name or self.name.startswith("."):
            raise ConfigError(f"`name` must be a folder's name, got {self.name!r}.")


class Maker:
    """Makes the files of each kind; a method is named as its kind."""

    def __init__(
        self,
        run: Path,
        folder: Path,
        scratch: Path,
        reference: Reference,
        options: ExportOptions,
        say: Say,
    ) -> None:
        self.run, self.folder, self.scratch = run, folder, scratch
        self.reference, self.options, self.say = reference, options, say
        self.classifier = reference.classifier
        self.length = options.lengths[0]
        (folder / "tflite").mkdir(exist_ok=True)

    def saved_model(self) -> list[Artefact]:
        """The SavedModel, in TF Serving's layout."""
        self.say("writing the SavedModel")
        path = Path("saved_model") / self.options.name / str(self.options.version)
        made = self.scratch / "saved_model"
        save_model(self.classifier, made, plain_ops=self.options.plain_ops)
        texts = [t for t in self.reference.readable if t.strip()][:WARM_UP_TEXTS]
        write_warm_up(made, texts, name=self.options.name)
        _replace(made, self.folder / path)
        streams = streaming_obstacle(self.classifier.model) is None
        return [Artefact("saved_model", "saved_model", path.as_posix(), streams=streams)]

    def tflite(self) -> list[Artefact]:
        """`model.tflite` for every length, and its quantised variants for the first."""
        artefacts, jobs = [], []
        for length in self.options.lengths:
            source = self._staged(stage_model, length, form=self.options.form)
            further = f"_{length}" if length != self.length else ""
            wanted = ("float32",) if further else ("float32", *self.options.precisions)
            for precision in wanted:
                suffix = "" if precision == "float32" else f"_{precision}"
                artefact = self._tflite(f"model{further}{suffix}", "tflite", precision, length)
                artefacts.append(artefact)
                jobs.append(self._conversion(artefact, source))
        return self._converted(artefacts, jobs)

    def stream(self) -> list[Artefact]:
        """`model_stream.tflite`."""
        source = self._staged(stage_stream, self.length, form=self.options.form)
        artefact = self._tflite("model_stream", "stream", "float32", self.length)
        return self._converted([artefact], [self._conversion(artefact, source)])

    def mediapipe(self) -> list[Artefact]:
        """`model_mediapipe.tflite`, whose recurrences can be no loops."""
        form = self._form(one_subgraph=True)
        source = self._staged(stage_mediapipe, self.length, form=form)
        artefact = self._tflite("model_mediapipe", "mediapipe", "float32", self.length)
        artefact.form = form
        bare = self.scratch / "bare.tflite"
        made = self._converted(
            [artefact], [{**self._conversion(artefact, source), "output": str(bare)}]
        )
        if artefact.reason is None:
            (answer,) = run_jobs(
                "textrnn.export.formats.mediapipe.metadata",
                [
                    {
                        "model": str(bare),
                        "output": str(self.folder / artefact.path),
                        "tokenizer": str(self.folder / run_folder.TOKENIZER),
                        "labels": list(self.classifier.labels),
                        "name": self.options.name,
                        "description": f"A recurrent text classifier made by textrnn; it reads "
                        f"the first {counted(self.length, 'token')} of a text.",
                    }
                ],
            )
            _note(artefact, answer)
        return made

    def onnx(self) -> list[Artefact]:
        """`model.onnx`."""
        self.say("converting to ONNX")
        artefact = Artefact("onnx", "onnx", "onnx/model.onnx")
        (self.folder / "onnx").mkdir(exist_ok=True)
        job = {"run": str(self.run), "output": str(self.folder / artefact.path)}
        (answer,) = run_jobs("textrnn.export.formats.onnx", [job])
        _note(artefact, answer)
        return [artefact]

    def _form(self, *, one_subgraph: bool = False) -> str | None:
        stack = self.classifier.model.stack
        if stack is None:
            return None
        form = self.options.form
        if one_subgraph and form == "loop":
            form = "auto"
        return choose_form(stack.cells[0], form, one_subgraph=one_subgraph)

    def _staged(self, stage: Callable[..., None], length: int, *, form: str | None) -> Path:
        source = self.scratch / f"{stage.__name__}_{length}"
        stage(
            self.classifier.model,
            source,
            length=length,
            form=form or "auto",
            multi_label=self.classifier.config.task.multi_label,
        )
        return source

    def _tflite(self, name: str, kind: str, precision: str, length: int) -> Artefact:
        return Artefact(
            name,
            kind,
            f"tflite/{name}.tflite",
            precision=precision,
            form=self._form(),
            length=length,
            streams=kind == "stream",
        )

    def _conversion(self, artefact: Artefact, source: Path) -> dict[str, Any]:
        job: dict[str, Any] = {
            "source": str(source),
            "output": str(self.folder / artefact.path),
            "precision": artefact.precision,
        }
        if artefact.precision == "int4":
            job["source"] = str(self.folder / "tflite" / "model.tflite")
        if artefact.precision == "full_int8":
            ids, _ = self.reference.cut(artefact.length or 1)
            job["calibration"] = str(self.scratch / "calibration.npy")
            # The first and the last: real texts, and those at the edges.
            rows = [*ids[:CALIBRATION_TEXTS], *ids[-11:]]
            np.save(job["calibration"], np.stack(rows))
        return job

    def _converted(self, artefacts: list[Artefact], jobs: list[dict[str, Any]]) -> list[Artefact]:
        self.say(f"converting: {', '.join(artefact.name for artefact in artefacts)}")
        wanted = []
        for artefact, job in zip(artefacts, jobs, strict=True):
            if artefact.precision == "int4" and not _installed("ai_edge_quantizer"):
                artefact.reason = "needs ai-edge-quantizer: pip install 'textrnn[int4]'"
                artefact.path = ""
            else:
                wanted.append((artefact, job))
        answers = run_jobs("textrnn.export.workers.conversion", [job for _, job in wanted])
        for (artefact, _), answer in zip(wanted, answers, strict=True):
            _note(artefact, answer)
        return artefacts


def _note(artefact: Artefact, answer: dict[str, Any]) -> None:
    """Notes in an artefact that it was not made."""
    if "error" in answer:
        artefact.reason, artefact.path = f"not made: {answer['error']}", ""


def _installed(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in packages)


def obstacle(kind: str, classifier: TrainedClassifier) -> str | None:
    """Why a kind cannot be made of a classifier, or not here; None if it can."""
    packages, extra = _NEEDS[kind]
    if not _installed(*packages):
        return f"needs {', '.join(packages)}: pip install '{extra}'"
    if kind == "stream":
        return streaming_obstacle(classifier.model)
    tokenizer = classifier.config.tokenizer
    if kind == "mediapipe" and not tokenizer.lowercase:
        return "MediaPipe reads texts in lower case, and this model was trained with --no-lowercase"
    return None


def _replace(made: Path, place: Path) -> None:
    """Puts a folder in the place of what may be there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        shutil.rmtree(place)
    shutil.move(made, place)
