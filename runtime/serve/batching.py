"""Answers the texts of requests that arrive together in one call of the model."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from .errors import RequestError, busy
from .metrics import ModelMetrics
from .model import Answer, Model
from .settings import Batching

__all__ = ["Batcher"]

_SMOOTHING = 0.1  # The weight of the newest batch in the running mean of the time per text.


@dataclass(eq=False)
class _Request:
    """The texts of one request, and their answers as far as they are known."""

    texts: Sequence[str]
    answers: list[Answer | None]
    missing: int
    future: asyncio.Future[list[Answer]]


@dataclass(frozen=True, eq=False)
class _Item:
    """One text of a request."""

    request: _Request
    place: int


class Batcher:
    """Collects texts until a batch is full or the window has passed, and answers them in a thread.

    While all threads are busy, texts wait and form the next batch, so that batches grow with the
    load. A request that is cancelled gives up its place.

    Args:
        model: The model.
        threads: Runs the model.
        settings: The window, and the sizes of a batch and of the queue.
        metrics: Counts batches, texts and answers.
    """

    def __init__(
        self, model: Model, threads: Executor, *, settings: Batching, metrics: ModelMetrics
    ) -> None:
        self._model, self._threads = model, threads
        self._settings, self._metrics = settings, metrics
        self._queue: deque[_Item] = deque()
        self._running = 0
        self._timer: asyncio.TimerHandle | None = None
        self._seconds_per_text = 0.001

    async def answers(self, texts: Sequence[str]) -> list[Answer]:
        """Returns the answers to the texts of one request.

        Raises:
            RequestError: Too many texts are waiting; status 429.
        """
        if not texts:
            return []
        if len(self._queue) + len(texts) > self._settings.queue_texts:
            self._drop_cancelled()
        waiting = len(self._queue)
        # A request larger than the queue would never be accepted otherwise.
        if waiting and waiting + len(texts) > self._settings.queue_texts:
            seconds = math.ceil(waiting * self._seconds_per_text)
            raise busy(
                f"expected room for {len(texts)} texts, got {waiting} that wait already; ask "
                "again later.",
                retry_seconds=min(max(seconds, 1), 60),
            )
        loop = asyncio.get_running_loop()
        request = _Request(texts, [None] * len(texts), len(texts), loop.create_future())
        self._queue.extend(_Item(request, place) for place in range(len(texts)))
        self._metrics.set_waiting(len(self._queue))
        if len(self._queue) >= self._settings.batch_texts or not self._settings.batch_window_ms:
            self._launch()
        elif self._timer is None and self._running < self._settings.threads:
            window = self._settings.batch_window_ms / 1000
            self._timer = loop.call_later(window, self._launch)
        return await request.future

    def _launch(self) -> None:
        """Starts batches as long as there are waiting texts and idle threads."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue and self._running < self._settings.threads:
            batch: list[_Item] = []
            while self._queue and len(batch) < self._settings.batch_texts:
                item = self._queue.popleft()
                if not item.request.future.done():
                    batch.append(item)
            if batch:
                self._running += 1
                loop = asyncio.get_running_loop()
                task = loop.run_in_executor(self._threads, self._run, batch)
                task.add_done_callback(partial(self._finish, batch))
        self._metrics.set_waiting(len(self._queue))

    def _run(self, batch: Sequence[_Item]) -> tuple[list[Answer | Exception], float]:
        """Answers a batch, in a thread; returns the answers and the time in seconds.

        If the model fails, each text is answered alone, so that no text spoils the answers to the
        texts of other requests.
        """
        begin = time.perf_counter()
        texts = [item.request.texts[item.place] for item in batch]
        answers: list[Answer | Exception]
        try:
            answers = list(self._model.answers(texts))
        except Exception as error:
            alone = len(batch) == 1
            answers = [error] if alone else [self._run([item])[0][0] for item in batch]
        return answers, time.perf_counter() - begin

    def _finish(
        self,
        batch: Sequence[_Item],
        done: asyncio.Future[tuple[list[Answer | Exception], float]],
    ) -> None:
        """Hands out the answers of a batch, and starts the next one."""
        self._running -= 1
        if done.cancelled():  # The threads were shut down before the batch began.
            answers: list[Answer | Exception] = [RequestError(503, "the server stops.")] * len(
                batch
            )
        else:
            answers, seconds = done.result()
            change = seconds / len(batch) - self._seconds_per_text
            self._seconds_per_text += _SMOOTHING * change
            self._metrics.count_batch(len(batch), seconds)
        for item, answer in zip(batch, answers, strict=True):
            self._hand_out(item, answer)
        self._launch()

    def _hand_out(self, item: _Item, answer: Answer | Exception) -> None:
        request = item.request
        if request.future.done():
            return
        if isinstance(answer, Exception):
            request.future.set_exception(answer)
            return
        self._metrics.count_answer(answer)
        request.answers[item.place] = answer
        request.missing -= 1
        if not request.missing:
            request.future.set_result([answer for answer in request.answers if answer is not None])

    def _drop_cancelled(self) -> None:
        self._queue = deque(item for item in self._queue if not item.request.future.done())
