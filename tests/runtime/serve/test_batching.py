import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from letter_model import LetterModel

from textrnn.runtime.serve.batching import Batcher
from textrnn.runtime.serve.errors import RequestError
from textrnn.runtime.serve.metrics import Metrics
from textrnn.runtime.serve.settings import Batching


def run(test, model, **settings):
    """Runs a test with a batcher of the model, in an event loop."""

    async def main():
        with ThreadPoolExecutor(4) as threads:
            batcher = Batcher(
                model,
                threads,
                settings=Batching(**settings),
                metrics=Metrics().of_model("letters"),
            )
            return await test(batcher)

    return asyncio.run(main())


def labels(answers):
    return [answer.label for answer in answers]


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_requests_that_arrive_together_are_one_batch():
    model = LetterModel()

    async def test(batcher):
        return await asyncio.gather(*(batcher.answers([text]) for text in ("a", "b", "c")))

    assert [labels(answers) for answers in run(test, model)] == [["a"], ["b"], ["c"]]
    assert model.batches == [["a", "b", "c"]]


def test_a_large_request_is_cut_into_batches_and_keeps_its_order():
    model, texts = LetterModel(), [*"abcabca"]
    answers = run(lambda batcher: batcher.answers(texts), model, batch_texts=3)
    assert labels(answers) == texts
    assert [len(batch) for batch in model.batches] == [3, 3, 1]


def test_texts_that_come_while_the_model_works_are_the_next_batch():
    model = LetterModel(gate=threading.Event())

    async def test(batcher):
        first = asyncio.create_task(batcher.answers(["a"]))
        await until(lambda: model.batches)
        others = [asyncio.create_task(batcher.answers([text])) for text in "bcb"]
        await asyncio.sleep(0)
        model.gate.set()
        return [labels(answers) for answers in await asyncio.gather(first, *others)]

    assert run(test, model, batch_window_ms=0) == [["a"], ["b"], ["c"], ["b"]]
    assert model.batches == [["a"], ["b", "c", "b"]]


def test_several_threads_answer_several_batches_at_a_time():
    model = LetterModel(gate=threading.Event())

    async def test(batcher):
        tasks = [asyncio.create_task(batcher.answers([text])) for text in "ab"]
        await until(lambda: len(model.batches) == 2)
        model.gate.set()
        await asyncio.gather(*tasks)

    run(test, model, batch_texts=1, threads=2)
    assert sorted(model.batches) == [["a"], ["b"]]


def test_a_full_queue_refuses_texts_and_says_when_to_come_back():
    model = LetterModel(gate=threading.Event())

    async def test(batcher):
        first = asyncio.create_task(batcher.answers(["a"]))
        await until(lambda: model.batches)
        second = asyncio.create_task(batcher.answers(["b", "c"]))
        await asyncio.sleep(0)
        with pytest.raises(RequestError) as raised:
            await batcher.answers(["a"])
        model.gate.set()
        await asyncio.gather(first, second)
        assert labels(await batcher.answers(["c"])) == ["c"]
        return raised.value

    error = run(test, model, batch_texts=1, queue_texts=2)
    assert error.status == 429
    assert 1 <= int(error.headers["Retry-After"]) <= 60


def test_a_cancelled_request_gives_up_its_place():
    model = LetterModel(gate=threading.Event())

    async def test(batcher):
        first = asyncio.create_task(batcher.answers(["a"]))
        await until(lambda: model.batches)
        cancelled = asyncio.create_task(batcher.answers(["b", "b"]))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        third = asyncio.create_task(batcher.answers(["c", "c"]))
        await asyncio.sleep(0)
        model.gate.set()
        await first
        return labels(await third)

    assert run(test, model, batch_texts=2, queue_texts=2) == ["c", "c"]
    assert model.batches == [["a"], ["c", "c"]]


def test_a_text_that_the_model_fails_on_spoils_no_other_request():
    async def test(batcher):
        requests = [batcher.answers(["a"]), batcher.answers(["b", "fault"]), batcher.answers(["c"])]
        return await asyncio.gather(*requests, return_exceptions=True)

    first, second, third = run(test, LetterModel())
    assert (labels(first), labels(third)) == (["a"], ["c"])
    assert isinstance(second, ZeroDivisionError)


def test_no_texts_are_answered_without_the_model():
    model = LetterModel()
    assert run(lambda batcher: batcher.answers([]), model) == []
    assert model.batches == []


def test_a_request_larger_than_the_queue_is_accepted_if_none_waits():
    model = LetterModel(gate=threading.Event())

    async def test(batcher):
        large = asyncio.create_task(batcher.answers([*"abc"]))
        await until(lambda: model.batches)
        with pytest.raises(RequestError):  # Two texts wait.
            await batcher.answers([*"ab"])
        model.gate.set()
        return labels(await large)

    assert run(test, model, batch_texts=1, queue_texts=1) == ["a", "b", "c"]
