import time

import numpy as np
import pytest

from textrnn.config.model import EncoderConfig
from textrnn.models.language_model import LanguageModel
from textrnn.progress import Silent
from textrnn.training.loop import held_out
from textrnn.training.loop.held_out import HeldOutTexts, sample_texts

TEXTS = [np.arange(1, 2 + size % 5) for size in range(60)]


class Scorer:
    """Scores each token by -ln 2 times its direction plus 1, and each call takes its tokens."""

    def __init__(self, model, *, direction):
        self.direction = direction

    def __call__(self, texts, *, on_batch):
        CALLS.append(sum(map(len, texts)))
        CLOCK[0] += CALLS[-1] + 100.0 * (len(CALLS) == 1)
        on_batch(len(texts))
        return [np.full(len(text), -np.log(2.0) * (self.direction + 1)) for text in texts]


CALLS: list[int] = []
CLOCK = [0.0]


@pytest.fixture
def texts(monkeypatch) -> HeldOutTexts:
    CALLS.clear()
    monkeypatch.setattr(held_out, "LikelihoodScorer", Scorer)
    monkeypatch.setattr(time, "monotonic", lambda: CLOCK[0])
    model = LanguageModel(9, config=EncoderConfig(units=2, embedding_units=2))
    return HeldOutTexts(model, TEXTS, seed=0)


def test_the_bits_of_each_direction_are_measured(texts):
    measured = texts.measure(reporter=Silent())
    assert measured.bits == pytest.approx([1.0, 2.0])
    assert measured.unusual == pytest.approx(1.0)
    assert [sum(map(len, TEXTS))] * 2 == CALLS


def test_the_time_is_estimated_from_a_part_without_the_tracing(texts):
    seconds = texts.estimate_seconds(reporter=Silent())
    traced, _, part, _ = CALLS
    assert traced == 1 < part < sum(map(len, TEXTS))
    assert seconds == pytest.approx(2.0 * sum(map(len, TEXTS)))


def test_texts_from_everywhere_are_sampled():
    texts = [np.full(size % 3 + 1, size) for size in range(100)]
    sample = sample_texts(texts, 20, seed=0)
    assert sum(map(len, sample)) == 20
    assert max(int(text[0]) for text in sample) > 50
    assert [len(text) for text in sample_texts([np.arange(10**6)], 50, seed=0)] == [50]
    assert len(sample_texts(texts, 10**6, seed=0)) == len(texts)
