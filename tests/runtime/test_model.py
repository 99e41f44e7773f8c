"""The light runtime answers as the TensorFlow model does."""

import dataclasses
import threading

import numpy as np
import pytest
from light_models import HARD_TEXTS, Pair, random_pair
from tiny import each_pair, every_pair

from textrnn.errors import ConfigError
from textrnn.inference.classifier import LONG_TOKENS
from textrnn.runtime.decision_rule import DecisionRule

CLOSE = 1e-5


def assert_same_answers(pair: Pair, texts=HARD_TEXTS) -> None:
    expected = pair.classifier.probabilities(texts)
    actual = pair.model.probabilities(texts)
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected, rtol=0, atol=CLOSE)
    predictions = pair.classifier.predict(texts)
    answers = pair.model.answers(texts)
    for prediction, answer in zip(predictions, answers, strict=True):
        assert (prediction.label, prediction.labels) == (answer.label, answer.labels)
        assert prediction.abstained == answer.abstained


@every_pair
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.usefixtures("eagerly")
def test_every_cell_and_head_answers_as_tensorflow_does(cell, head, bidirectional, tmp_path):
    settings = {"cell": cell, "head": head, "bidirectional": bidirectional}
    assert_same_answers(random_pair(tmp_path, layers=2, window=3, **settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"separate_directions": True, "residual": True},
        {"pyramid": True, "layers": 3},
        {"pyramid": True, "layers": 3, "bidirectional": False, "window": 2},
        {"layer_norm": True, "residual": True, "units": 4},
        {"separate_directions": True, "residual": True, "layer_norm": True, "window": 2},
    ],
)
@pytest.mark.parametrize(
    "cell", ["mingru", *(pytest.param(c, marks=pytest.mark.thorough) for c in ("lstm", "gru"))]
)
@pytest.mark.usefixtures("eagerly")
def test_every_stack_answers_as_tensorflow_does(settings, cell, tmp_path):
    values = {"cell": cell, "head": "attention", "layers": 2, **settings}
    assert_same_answers(random_pair(tmp_path, **values))


@pytest.mark.parametrize("piece_type", ["byte", "word", "char"])
@pytest.mark.usefixtures("eagerly")
def test_every_tokenizer_answers_as_tensorflow_does(piece_type, tmp_path):
    assert_same_answers(random_pair(tmp_path, piece_type=piece_type, cell="minlstm"))


@pytest.mark.usefixtures("eagerly")
def test_a_model_without_ngrams_answers_as_tensorflow_does(tmp_path):
    assert_same_answers(random_pair(tmp_path, cell="gru", ngrams=False))


@pytest.mark.parametrize(
    ("multi_label", "rule"),
    [
        (False, DecisionRule(weights=(3.0, 1.0))),
        (False, DecisionRule(costs=((0.0, 1.0), (4.0, 0.0)))),
        (False, DecisionRule(abstain_below=0.8)),
        (True, DecisionRule()),
        (True, DecisionRule(thresholds=(0.2, 0.9), abstain_below=0.3)),
    ],
)
@pytest.mark.usefixtures("eagerly")
def test_the_decisions_of_the_run_are_obeyed(multi_label, rule, tmp_path):
    assert_same_answers(random_pair(tmp_path, cell="none", multi_label=multi_label, rule=rule))


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.usefixtures("eagerly")
def test_only_a_model_that_needs_whole_texts_cuts_them(bidirectional, tmp_path):
    pair = random_pair(tmp_path, cell="mingru", bidirectional=bidirectional, max_length=5)
    assert_same_answers(pair)
    (answer,) = pair.model.answers(["a fine film, dull, dull and finely played"])
    assert (answer.tokens == 5) == bidirectional == (answer.cut_tokens > 0)


@pytest.mark.thorough
@pytest.mark.parametrize("cell", ["gru", "mingru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_very_long_text_is_answered_as_tensorflow_does(cell, bidirectional, tmp_path):
    pair = random_pair(tmp_path, cell=cell, head="attention", bidirectional=bidirectional)
    text = "dull film, " * 6000
    assert len(pair.model.tokenizer.encode(text)) > LONG_TOKENS
    assert_same_answers(pair, [text])


def test_texts_are_answered_alike_alone_and_together(tmp_path):
    model = random_pair(tmp_path, cell="lstm", layers=2, window=2).model
    together = model.probabilities(HARD_TEXTS * 5)
    alone = np.concatenate([model.probabilities([text]) for text in HARD_TEXTS])
    np.testing.assert_allclose(together, np.tile(alone, [5, 1]), rtol=0, atol=1e-6)
    texts, answers = zip(*model.predict_stream(iter(HARD_TEXTS)), strict=True)
    assert list(texts) == HARD_TEXTS
    assert [answer.label for answer in answers] == [a.label for a in model.answers(HARD_TEXTS)]


def test_threads_may_share_a_model(tmp_path):
    model = random_pair(tmp_path, cell="gru").model
    expected, results = model.probabilities(HARD_TEXTS), []
    threads = [
        threading.Thread(target=lambda: results.append(model.probabilities(HARD_TEXTS)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_no_texts_have_no_answers(tmp_path):
    model = random_pair(tmp_path, cell="none").model
    assert model.answers([]) == [] == list(model.predict_stream([]))
    assert model.probabilities([]).shape == (0, 2)


def test_another_limit_for_answers_leaves_the_model_as_it_is(tmp_path):
    model = random_pair(tmp_path, cell="none").model
    (answer,) = model.abstaining(0.9999).answers(["a"])
    assert answer.abstained
    assert answer.labels == ()
    assert not model.answers(["a"])[0].abstained
    assert model.abstaining(None) is model
    with pytest.raises(ConfigError, match=r"at least 0 and less than 1, got 2\.0"):
        model.abstaining(2.0)


def test_one_text_instead_of_a_list_is_refused(tmp_path):
    model = random_pair(tmp_path, cell="none").model
    with pytest.raises(TypeError, match="must be a list of texts"):
        model.answers("one text")


def test_what_a_model_is_can_be_asked(tmp_path):
    model = random_pair(tmp_path, cell="gru", bidirectional=False, multi_label=True).model
    assert (model.labels, model.multi_label, model.forwards) == (("neg", "pos"), True, True)
    assert not model.language_model
    assert dataclasses.replace(model, digest="other").digest == "other"


# Streams


@each_pair
@pytest.mark.usefixtures("eagerly")
def test_a_stream_ends_with_the_answer_to_the_whole_text(cell, head, tmp_path):
    pair = random_pair(tmp_path, cell=cell, head=head, bidirectional=False, layers=2, window=2)
    for text in HARD_TEXTS[3:]:
        stream = pair.model.stream()
        for start in range(0, len(text), 7):
            stream.feed(text[start : start + 7])
        answer = stream.finish()
        (whole,) = pair.model.answers([text])
        assert answer.tokens == whole.tokens
        expected = pair.classifier.probabilities([text])[0]
        np.testing.assert_allclose(list(answer.scores.values()), expected, rtol=0, atol=CLOSE)


def test_a_stream_continues_from_its_state(tmp_path):
    model = random_pair(tmp_path, cell="lstm", bidirectional=False, window=3).model
    stream, text = model.stream(), "A fine film, and finely played, but dull. "
    stream.feed(text)
    other = model.stream(stream.state)
    assert other.feed(text) == stream.feed(text)
    assert len(stream.state) == len(other.state)


def test_a_model_that_needs_whole_texts_has_no_stream(tmp_path):
    with pytest.raises(ConfigError, match="`bidirectional` must be off"):
        random_pair(tmp_path / "a", cell="gru").model.stream()
    pyramid = random_pair(tmp_path / "b", cell="gru", bidirectional=False, pyramid=True, layers=2)
    with pytest.raises(ConfigError, match="`pyramid` must be off"):
        pyramid.model.stream()
