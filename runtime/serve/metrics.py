"""The metrics of the server, in the format of Prometheus."""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from .model import Answer

__all__ = ["CONTENT_TYPE", "PROCESSES_FOLDER", "STREAM_ERROR", "Metrics", "ModelMetrics"]

CONTENT_TYPE = CONTENT_TYPE_LATEST

PROCESSES_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable of the folder in which several processes keep their metrics."""

STREAM_ERROR = 4000
"""A WebSocket that fails with the status of a request is closed with this plus the status."""

_STREAM_STATUSES = frozenset({400, 401, 403, 404, 408, 413, 429, 500})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_STREAM_SECONDS = (0.1, 1, 10, 30, 60, 300, 600, 1800, 3600)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The counters of one process; those of several processes are added up when they are read."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        names = ["model", "call"]
        self.requests = Counter(
            "textrnn_requests_total",
            "Requests, by their HTTP status.",
            [*names, "status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "textrnn_request_seconds",
            "Time from the first to the last byte of a request, in seconds.",
            names,
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.active = self._gauge("textrnn_active_requests", "Requests that are worked on.")
        self.streams = self._gauge("textrnn_streams", "Texts that are written by WebSocket.")
        self.stream_accepts = Counter(
            "textrnn_stream_accepts_total",
            "WebSockets that were accepted.",
            registry=self._registry,
        )
        self._stream_closes = Counter(
            "textrnn_stream_closes_total",
            "WebSockets that were closed, by the code of the side that closed first.",
            ["model", "code"],
            registry=self._registry,
        )
        self._stream_seconds = Histogram(
            "textrnn_stream_seconds",
            "Time for which a WebSocket was open, in seconds.",
            ["model"],
            buckets=_STREAM_SECONDS,
            registry=self._registry,
        )
        self.waiting = self._gauge("textrnn_waiting_texts", "Texts without an answer.", "model")
        self.version = Gauge(
            "textrnn_model_version",
            "Newest version that is served.",
            ["model"],
            registry=self._registry,
            multiprocess_mode="mostrecent",
        )
        self.failures = Counter(
            "textrnn_load_failures_total",
            "Versions that could not be loaded.",
            ["model"],
            registry=self._registry,
        )
        self.answers = Counter(
            "textrnn_answers_total",
            "Answers, by their label; empty if the answer was withheld.",
            ["model", "label"],
            registry=self._registry,
        )
        self.batch_texts = Histogram(
            "textrnn_batch_texts",
            "Texts that were answered together.",
            ["model"],
            buckets=_TEXTS,
            registry=self._registry,
        )
        self.batch_seconds = Histogram(
            "textrnn_batch_seconds",
            "Time of the model for a batch, in seconds.",
            ["model"],
            buckets=_SECONDS,
            registry=self._registry,
        )

    def count_stream(self, model: str, code: int, seconds: float) -> None:
        """Counts a WebSocket that was closed.

        Args:
            model: The name of the model; empty if none was found.
            code: The code of the close. A client may send any of 3000 to 4999, which are counted
                as `other` unless the server uses them too.
            seconds: For how long it was open.
        """
        known = code < 3000 or code - STREAM_ERROR in _STREAM_STATUSES
        self._stream_closes.labels(model, str(code) if known else "other").inc()
        self._stream_seconds.labels(model).observe(seconds)

    def exposition(self) -> bytes:
        """Returns all metrics as text; of all processes, if there are several."""
        if PROCESSES_FOLDER in os.environ:
            registry = CollectorRegistry()
            collect: Any = multiprocess.MultiProcessCollector  # It has no type information.
            collect(registry)
            return generate_latest(registry)
        return generate_latest(self._registry)

    def of_model(self, name: str) -> ModelMetrics:
        """Returns the metrics of one model."""
        return ModelMetrics(self, name)

    def _gauge(self, name: str, help: str, *labels: str) -> Gauge:
        return Gauge(name, help, labels, registry=self._registry, multiprocess_mode="livesum")


class ModelMetrics:
    """The metrics of one model.

    Args:
        metrics: The metrics of the process.
        name: The name of the model.
    """

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._name = name
        self._answers = metrics.answers
        self._by_label: dict[str, Counter] = {}
        self._texts = metrics.batch_texts.labels(name)
        self._seconds = metrics.batch_seconds.labels(name)
        self._waiting = metrics.waiting.labels(name)

    def set_waiting(self, texts: int) -> None:
        """Notes how many texts wait."""
        self._waiting.set(texts)

    def count_batch(self, texts: int, seconds: float) -> None:
        """Counts a batch and its time."""
        self._texts.observe(texts)
        self._seconds.observe(seconds)

    def count_answer(self, answer: Answer) -> None:
        """Counts an answer by its labels."""
        for label in () if answer.abstained else answer.labels or ("",):
            self._count(label)
        if answer.abstained:
            self._count("")

    def _count(self, label: str) -> None:
        if label not in self._by_label:
            self._by_label[label] = self._answers.labels(self._name, label)
        self._by_label[label].inc()
