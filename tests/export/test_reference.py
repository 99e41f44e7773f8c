"""The reference answers for exported files, in memory that does not grow with the longest text."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import finished_run

from textrnn.export import reference
from textrnn.export.reference import Reference, hard_texts
from textrnn.inference.classifier import TrainedClassifier
from textrnn.runtime.text.cuts import LONG_TEXT

LONGEST = 12


@pytest.fixture
def classifier(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> TrainedClassifier:
    monkeypatch.setattr(reference, "MEGABYTE", 1000)
    monkeypatch.setattr(reference, "LONGEST_WHOLE", LONGEST)
    return finished_run(tmp_path_factory).classifier


def test_long_texts_are_read_as_far_as_a_bound(
    classifier: TrainedClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    answer = TrainedClassifier.score_ids

    def score_ids(self: TrainedClassifier, texts: list[np.ndarray]) -> np.ndarray:
        asked.extend(map(len, texts))
        return answer(self, texts)

    monkeypatch.setattr(TrainedClassifier, "score_ids", score_ids)
    ours = Reference(classifier, ["a x b"], targets=[0])
    scores = ours.scores
    assert max(map(len, ours.ids)) > LONGEST
    assert max(asked) == LONGEST
    np.testing.assert_allclose(scores, ours.cut(LONGEST)[1])


@pytest.mark.thorough
def test_whole_texts_are_read_where_a_check_needs_them(classifier: TrainedClassifier) -> None:
    ours = Reference(classifier, ["a x b"], targets=[0])
    np.testing.assert_allclose(ours.whole_scores, classifier.score_ids(ours.ids))


def test_a_text_in_several_parts_can_be_read_whole() -> None:
    texts = hard_texts(["some words of a text"])
    sizes = [len(text) for text in texts]
    assert reference.MEGABYTE in sizes
    assert reference.SEVERAL_PARTS in sizes
    assert reference.SEVERAL_PARTS > LONG_TEXT
