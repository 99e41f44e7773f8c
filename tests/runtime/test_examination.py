"""What each word does to an answer, and what would change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from light_models import HARD_TEXTS, random_pair
from tiny import every_pair

from textrnn.errors import ConfigError
from textrnn.runtime import RuntimeModel
from textrnn.runtime.examination import MOST_TOKENS, MOST_WORDS

TEXT = "A fine film, and finely played."

pytestmark = pytest.mark.usefixtures("eagerly")


def a_model(folder: Path, **settings: Any) -> RuntimeModel:
    values: dict[str, Any] = {
        "cell": "mingru",
        "head": "attention",
        "layers": 2,
        "window": 2,
        **settings,
    }
    return random_pair(folder, **values).model


def without(model: RuntimeModel, *places: int) -> np.ndarray:
    """The probabilities of `TEXT` without some words, by the tokens between their spans."""
    words = model.examine(TEXT).words
    spans = [(words[place].start, words[place].end) for place in places]
    kept = [
        id
        for id, (start, end) in zip(
            model.tokenizer.encode(TEXT), model.tokenizer.spans(TEXT), strict=True
        )
        if not any(start < stop and end > first for first, stop in spans)
    ]
    return model.score_ids([np.array(kept)])[0]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_each_word_has_the_probability_without_it_and_up_to_it(
    bidirectional: bool, tmp_path: Path
) -> None:
    model = a_model(tmp_path, bidirectional=bidirectional)
    examined = model.examine(TEXT)
    target = model.labels.index(examined.explained)
    for place, word in enumerate(examined.words):
        assert word.without == pytest.approx(without(model, place)[target], abs=1e-6)
    assert examined.words[-1].after == pytest.approx(examined.answer.score, abs=1e-6)
    assert "".join(word.text for word in examined.words) == TEXT.replace(" ", "")


def test_the_contributions_are_those_of_an_explanation(tmp_path: Path) -> None:
    model = a_model(tmp_path)
    scores = [word.score for word in model.explain(TEXT, label="neg").words]
    assert [word.contribution for word in model.examine(TEXT, "neg").words] == scores


def test_a_head_without_additive_parts_has_no_contributions(tmp_path: Path) -> None:
    words = a_model(tmp_path, head="last").examine(TEXT).words
    assert {word.contribution for word in words} == {None}


def test_a_bag_remembers_the_last_word_only(tmp_path: Path) -> None:
    words = a_model(tmp_path, cell="none", layers=1, window=1).examine(TEXT).words
    assert [word.remembered > 0 for word in words] == [False] * (len(words) - 1) + [True]


@every_pair
def test_every_deleted_word_is_needed(cell: str, head: str, tmp_path: Path) -> None:
    model = a_model(tmp_path, cell=cell, head=head)
    examined = model.examine(TEXT)
    best = model.labels.index(examined.answer.label)
    if examined.deletions is None:
        return
    places = examined.deletions.words
    assert without(model, *places).argmax() != best
    for place in places:
        fewer = [other for other in places if other != place]
        assert without(model, *fewer).argmax() == best


def test_an_answer_that_few_words_cannot_change_has_no_deletions(tmp_path: Path) -> None:
    model = a_model(tmp_path)
    text = " ".join([TEXT] * 12)
    assert model.examine(text).deletions is None


@pytest.mark.parametrize("text", HARD_TEXTS)
def test_the_answer_is_that_of_the_model(text: str, tmp_path: Path) -> None:
    model = a_model(tmp_path)
    (answer,) = model.answers([text])
    assert model.examine(text).answer.scores == pytest.approx(answer.scores, abs=1e-6)


@pytest.mark.thorough
def test_only_the_first_words_of_a_long_text_are_examined(tmp_path: Path) -> None:
    model = a_model(tmp_path, bidirectional=False)
    some = model.examine("a " * 200)
    assert (len(some.words), some.cut) == (MOST_WORDS, True)
    tokens = len(model.tokenizer.encode("film " * 3000))
    assert len(model.examine("film " * 3000).words) == MOST_TOKENS // tokens


def test_an_unknown_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="label"):
        a_model(tmp_path).examine(TEXT, "positive")
