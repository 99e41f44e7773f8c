import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from tiny import LABELS, finished_run, not_none, run_config

from textrnn.analysis.attribution.explain import (
    METHODS,
    Explainer,
    Explanation,
    explain,
    running_scores,
)
from textrnn.analysis.attribution.page import (
    STYLE,
    coloured_html,
    explanation_page,
    facts,
    strongest,
)
from textrnn.errors import ConfigError
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.classifier import TextClassifier

pytestmark = pytest.mark.usefixtures("eagerly")

TEXT = "  a X<br />b <i>& c"


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return finished_run(tmp_path_factory).classifier


@pytest.fixture(scope="module")
def explainer(classifier):
    return Explainer(classifier)


def forward(classifier, **settings) -> TrainedClassifier:
    """An untrained model, of one direction by default, with the same tokenizer."""
    settings = {"cell": "gru", "bidirectional": False, **settings}
    config = run_config(Path("letters.csv"), **settings)
    model = TextClassifier(classifier.tokenizer.vocab_size, 2, config=config.model)
    model.build((None, None))
    return TrainedClassifier(model, classifier.tokenizer, LABELS, config)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_finds_the_word_that_decides(explainer, classifier, method):
    attribution = explainer.explain("a b x c", method=method)
    assert (attribution.label, attribution.predicted, attribution.method) == ("pos", "pos", method)
    assert attribution.probability == pytest.approx(
        classifier.predict(["a b x c"])[0].score, abs=1e-6
    )
    assert [word.text for word in attribution.words] == ["a", "b", "x", "c"]
    assert max(attribution.words, key=lambda word: word.score).text == "x"
    assert max(attribution.strengths()) == 1
    assert attribution.signed == (method != "head")
    assert len(attribution.pieces) == len(attribution.piece_scores) == 4
    assert sum(word.score for word in attribution.words) == pytest.approx(
        attribution.piece_scores.sum()
    )
    assert (attribution.completeness_error is not None) == (method[0] in "ia" and method != "head")


def test_words_are_found_in_the_text_as_it_was_written(explainer):
    attribution = explainer.explain(TEXT)
    assert [word.text for word in attribution.words][:3] == ["a", "X", "b"]
    for word in attribution.words:
        assert TEXT[word.start : word.end] == word.text


def test_another_label_is_explained_if_asked_for(explainer):
    attribution = explainer.explain("a b x c", label="neg")
    assert (attribution.label, attribution.predicted) == ("neg", "pos")
    assert attribution.probability < 0.5
    assert min(attribution.words, key=lambda word: word.score).text == "x"
    assert facts(attribution)[0] == "The most probable label is pos."


def test_an_explanation_is_plain_values(classifier):
    values = json.loads(json.dumps(explain(classifier, "a x").to_dict()))
    assert values["label"] == "pos"
    assert [word["text"] for word in values["words"]] == ["a", "x"]
    total = values["offset"] + sum(values["piece_scores"])
    assert total == pytest.approx(values["logit"], rel=0.02)


def test_an_empty_text_has_no_words(explainer):
    for text in ("", " \n"):
        attribution = explainer.explain(text)
        assert (attribution.words, attribution.pieces, attribution.warning) == (
            (),
            (),
            "the text is empty.",
        )
        assert attribution.strengths() == []
        assert strongest(attribution) == []


def test_what_the_run_cuts_is_reported(classifier):
    config = run_config(Path("letters.csv"), max_length=2)
    cutting = TrainedClassifier(classifier.model, classifier.tokenizer, LABELS, config)
    attribution = explain(cutting, "a b x")
    assert [word.text for word in attribution.words] == ["a", "b"]
    assert attribution.warning == "`max_length` cuts the text after 2 tokens of 3."
    assert '<span class="unread"> x</span>' in coloured_html(attribution)


def test_errors(explainer):
    with pytest.raises(ConfigError, match="`label` must be one of neg, pos, got 'other'"):
        explainer.explain("x", label="other")
    with pytest.raises(ConfigError, match="`method` must be one of"):
        explainer.explain("x", method="magic")


# The running prediction


@pytest.mark.parametrize("settings", [{}, {"cell": "none", "bidirectional": True}])
def test_the_running_prediction_ends_with_the_answer(classifier, settings):
    model = forward(classifier, **settings)
    attribution = explain(model, "ab cd x")
    running = not_none(attribution.running)
    assert list(running) == running_scores(model, attribution)
    assert attribution.to_dict()["running"] == list(running)
    assert len(running) == len(attribution.words)
    assert running[-1] == pytest.approx(attribution.probability, abs=1e-5)
    first = model.predict([attribution.text[: attribution.words[0].end]])[0].scores[
        attribution.label
    ]
    assert running[0] == pytest.approx(first, abs=1e-5)
    assert explain(model, "").running == ()


def test_a_model_of_both_directions_has_no_running_prediction(classifier, explainer):
    assert running_scores(classifier, explainer.explain("x")) is None
    assert explain(classifier, "x").running is None


# As HTML


def plain(fragment: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", fragment))


@pytest.mark.parametrize("text", [TEXT, "x", "", "y x </div> &amp; \u6211\u4eec"])
def test_the_coloured_text_is_the_text(explainer, text):
    assert plain(coloured_html(explainer.explain(text))) == text


def test_words_have_the_colour_of_their_sign(explainer):
    html = coloured_html(explainer.explain("y x", label="pos"))
    assert re.search(r'class="for" style="--s:0\.\d+" title="\+[\d.]+">x<', html)
    assert re.search(r'class="against" style="--s:0\.\d+" title="-[\d.]+">y<', html)


def test_a_page_needs_nothing_but_itself(explainer, classifier):
    attribution = explainer.explain("a <script> x")
    page = explanation_page(Explanation(**vars(attribution), running=(0.25, 0.5, 1.0)))
    assert STYLE in page
    assert "prefers-color-scheme: dark" in page
    assert "<script" not in page
    assert "http" not in page
    assert "<p>The label is pos (" in page
    assert "<td>neg</td>" in page
    assert 'points="0.0,75.0 300.0,50.0 600.0,0.0"' in page
    assert "integrated-gradients: the scores sum to" in page
    without = explanation_page(explain(classifier, "x", method="head"))
    assert "<svg" not in without
    assert "against" not in plain(without).split("Strongest")[0].split("speak for")[1]


def test_the_strongest_words_come_first(explainer):
    scores = [abs(score) for _, score in strongest(explainer.explain("a b c d x y"), count=3)]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert np.isfinite(scores).all()
