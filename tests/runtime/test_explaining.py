"""Explanations of the light runtime are those of the method additive."""

import numpy as np
import pytest
from light_models import random_pair
from tiny import not_none

from textrnn.analysis.attribution.explain import explain
from textrnn.errors import ConfigError

TEXT = "A fine film, and dull; ein großes Spiel. ﬁne 我们"


@pytest.mark.parametrize(
    "settings",
    [
        {"head": "attention", "bidirectional": False, "layers": 2, "window": 2},
        {"head": "mean", "pyramid": True, "layers": 3, "max_length": 7},
        {"head": "max", "ngrams": False},
    ],
)
@pytest.mark.usefixtures("eagerly")
def test_words_have_the_scores_of_the_additive_method(settings, tmp_path):
    pair = random_pair(tmp_path, cell="gru", **settings)
    expected = explain(pair.classifier, TEXT, method="additive", label="pos").to_dict()
    explanation = pair.model.explain(TEXT, label="pos")
    actual = explanation.to_dict()
    for name in ("method", "label", "predicted", "text", "pieces", "warning"):
        if name != "warning" or not settings.get("max_length"):
            assert actual[name] == expected[name]
    assert bool(actual["warning"]) == bool(expected["warning"])
    for name in ("piece_scores", "logit", "offset", "probability"):
        np.testing.assert_allclose(actual[name], expected[name], rtol=1e-4, atol=1e-5)
    assert [w["text"] for w in actual["words"]] == [w["text"] for w in expected["words"]]
    assert [n["text"] for n in actual["ngrams"]] == [n["text"] for n in expected["ngrams"]]
    if expected["running"] is None:
        assert actual["running"] is None
    else:
        np.testing.assert_allclose(actual["running"], expected["running"], rtol=0, atol=1e-5)
    assert not_none(explanation.completeness_error) < 1e-4


def test_the_words_of_an_answer_add_up_to_its_logit(tmp_path):
    model = random_pair(tmp_path, cell="lstm", head="attention").model
    explanation = model.explain(TEXT)
    total = not_none(explanation.offset) + sum(word.score for word in explanation.words)
    assert total == pytest.approx(explanation.logit, abs=1e-4)
    assert explanation.label == model.answers([TEXT])[0].label


def test_an_empty_text_has_an_explanation_without_words(tmp_path):
    explanation = random_pair(tmp_path, cell="none").model.explain("")
    assert (explanation.words, explanation.warning) == ((), "the text is empty.")


def test_what_cannot_be_explained_is_refused(tmp_path):
    model = random_pair(tmp_path / "a", cell="none").model
    with pytest.raises(ConfigError, match="`label` must be one of neg, pos, got 'other'"):
        model.explain("a", label="other")
    with pytest.raises(ConfigError, match="head that sums over the states"):
        random_pair(tmp_path / "b", cell="gru", head="last").model.explain("a")
