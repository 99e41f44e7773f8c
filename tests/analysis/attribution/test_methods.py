import numpy as np
import pytest
import tensorflow as tf
from cases import by_family, few
from tiny import not_none, random_classifier

from textrnn.analysis.attribution import methods
from textrnn.analysis.attribution.methods import METHODS, TokenScorer, head_weights
from textrnn.config.choices import CELLS, HEADS
from textrnn.errors import ConfigError

pytestmark = pytest.mark.usefixtures("eagerly")

IDS = np.array([2, 5, 3, 3, 9], np.int32)


def logit(model, ids, target):
    return float(model.logits(tf.constant(ids[np.newaxis]))[0, target])


# Known answers


@pytest.mark.parametrize("method", ["integrated-gradients", "occlusion", "gradient", "additive"])
@pytest.mark.parametrize("word_dropout", [0.0, 0.2])
def test_a_bag_with_the_mean_has_the_closed_form(method, word_dropout):
    """`(x_t - b) . w / T`; the additive part knows no baseline."""
    model = random_classifier("none", "mean", word_dropout=word_dropout)
    table, kernel = model.embedding.embeddings.numpy(), model.classify.kernel.numpy()
    base = table[1] if word_dropout and method != "additive" else np.zeros(4)
    scores = TokenScorer(model).scores(IDS, target=1, method=method)
    np.testing.assert_allclose(scores.scores, (table[IDS] - base) @ kernel[:, 1] / 5, atol=1e-5)
    assert scores.logit == pytest.approx(logit(model, IDS, 1), abs=1e-5)
    if scores.offset is not None:
        bias = model.classify.bias.numpy()[1]
        assert scores.offset == pytest.approx(base @ kernel[:, 1] + bias, abs=1e-5)
    assert scores.warning is None


@pytest.mark.parametrize("head", few(["attention", "mean", "max"]))
@pytest.mark.parametrize("cell", by_family(CELLS))
def test_additive_contributions_sum_to_the_logit(cell, head):
    model = random_classifier(cell, head)
    for target in (0, 1):
        scores = TokenScorer(model).scores(IDS, target=target, method="additive")
        total = scores.offset + scores.scores.sum()
        assert total == pytest.approx(logit(model, IDS, target), abs=1e-5)
        assert scores.offset == pytest.approx(float(model.classify.bias[target]))
        assert not_none(scores.completeness_error) < 1e-4


@pytest.mark.parametrize("cell", CELLS)
def test_integrated_gradients_are_complete(cell):
    head = HEADS[CELLS.index(cell) % len(HEADS)]
    model = random_classifier(cell, head, word_dropout=0.1)
    scores = TokenScorer(model).scores(IDS, target=0)
    assert scores.warning is None
    without = logit(model, np.ones(5, np.int32), 0)  # Every token unknown.
    assert scores.offset == pytest.approx(without, abs=1e-4)
    difference = logit(model, IDS, 0) - without
    assert scores.scores.sum() == pytest.approx(difference, abs=0.01 * max(abs(difference), 0.1))
    assert not_none(scores.completeness_error) <= 0.01


def test_occlusion_is_the_fall_of_the_logit():
    model = random_classifier("gru", "attention", word_dropout=0.1)
    scorer = TokenScorer(model)
    scores = scorer.scores(IDS, target=1, method="occlusion")
    for place in range(5):
        hidden = IDS.copy()
        hidden[place] = 1
        expected = logit(model, IDS, 1) - logit(model, hidden, 1)
        assert scores.scores[place] == pytest.approx(expected, abs=1e-5)
    together = scorer.scores(IDS, target=1, method="occlusion", groups=[(0, 2), (2, 5)])
    hidden = np.array([1, 1, 3, 3, 9])
    expected = logit(model, IDS, 1) - logit(model, hidden, 1)
    np.testing.assert_allclose(together.scores[:2], expected / 2, atol=1e-5)


def test_gradient_times_input():
    model = random_classifier("mingru", "mean")
    scores = TokenScorer(model).scores(IDS, target=0, method="gradient")
    vectors = model.embedding(tf.constant(IDS[np.newaxis]))
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        value = model.logits_of(vectors, tf.ones([1, 5], tf.bool))[0, 0]
    expected = tf.reduce_sum(vectors * tape.gradient(value, vectors), axis=-1)[0]
    np.testing.assert_allclose(scores.scores, expected, atol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_the_head_s_weights_rebuild_the_pooled_vector(head):
    model = random_classifier("gru", head)
    states, mask = not_none(model.stack)(model.embedding(tf.constant(IDS[np.newaxis])))
    weights = head_weights(model, states)
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-5)
    pooled = model.pooling(states, mask=mask)[0]
    np.testing.assert_allclose((weights * states[0].numpy()).sum(axis=0), pooled, atol=1e-5)
    scores = TokenScorer(model).scores(IDS, target=0, method="head")
    np.testing.assert_allclose(scores.scores, weights.mean(axis=1), rtol=1e-5)
    assert scores.completeness_error is None


# Padding, pyramids, long texts


@pytest.mark.parametrize("method", METHODS)
def test_padding_has_no_part_in_anything(method):
    scorer = TokenScorer(random_classifier("lstm", "attention", word_dropout=0.1))
    alone = scorer.scores(IDS, target=0, method=method)
    padded = scorer.scores(np.append(IDS, [0, 0]), target=0, method=method)
    np.testing.assert_allclose(padded.scores[:5], alone.scores, atol=1e-6)
    np.testing.assert_array_equal(padded.scores[5:], 0)
    assert padded.logit == pytest.approx(alone.logit)


def test_hiding_padding_changes_nothing():
    model = random_classifier("gru", "mean")
    ids = tf.constant([[2, 3, 0, 0]])
    vectors, mask = model.embedding(ids), ids != 0
    hidden = tf.where(mask[:, :, tf.newaxis], vectors, 7.0)
    np.testing.assert_allclose(
        model.logits_of(hidden, mask), model.logits_of(vectors, mask), atol=1e-6
    )


@pytest.mark.parametrize("method", ["head", "additive"])
def test_a_pyramid_s_state_stands_for_its_tokens(method):
    model = random_classifier("mingru", "mean", layers=2, pyramid=True)
    scores = TokenScorer(model).scores(IDS, target=0, method=method)
    assert scores.scores[0] == scores.scores[1]
    assert scores.scores[2] == scores.scores[3]
    if method == "head":
        np.testing.assert_allclose(scores.scores, [1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 3])
    else:
        assert not_none(scores.completeness_error) < 1e-4


def test_a_text_without_a_token():
    model = random_classifier("gru", "mean")
    for method in METHODS:
        scores = TokenScorer(model).scores([], target=1, method=method)
        assert scores.scores.shape == (0,)
        assert scores.logit == pytest.approx(float(model.classify.bias[1]))
        assert scores.warning == "the text is empty."


def test_a_long_text_is_hidden_some_words_at_a_time(monkeypatch):
    monkeypatch.setattr(methods, "MOST_OCCLUSIONS", 2)
    monkeypatch.setattr(methods, "ROW_TOKENS", 5)
    model = random_classifier("gru", "mean")
    scores = TokenScorer(model).scores(IDS, target=0, method="occlusion")
    assert not_none(scores.warning).startswith("the text is long: 3 words at a time")
    assert scores.scores[0] == scores.scores[1] == scores.scores[2] != scores.scores[3]


def test_small_parts_give_the_same_integral(monkeypatch):
    scorer = TokenScorer(random_classifier("gru", "attention"))
    whole = scorer.scores(IDS, target=0).scores
    monkeypatch.setattr(methods, "ROW_TOKENS", 15)
    np.testing.assert_allclose(scorer.scores(IDS, target=0).scores, whole, atol=1e-5)


# What cannot be


def test_a_sum_that_is_not_complete_is_reported(monkeypatch):
    monkeypatch.setattr(methods, "FIRST_STEPS", 1)
    monkeypatch.setattr(methods, "MOST_STEPS", 2)
    monkeypatch.setattr(methods, "TOLERANCE", 1e-9)
    scores = TokenScorer(random_classifier("gru", "attention")).scores(IDS, target=0)
    assert "differs from the difference of the logits by" in not_none(scores.warning)
    assert "after 2 steps" in not_none(scores.warning)


def test_errors():
    scorer = TokenScorer(random_classifier("gru", "last"))
    with pytest.raises(ConfigError, match="use integrated-gradients, or train with the head"):
        scorer.scores(IDS, target=0, method="additive")
    with pytest.raises(ConfigError, match="`method` must be one of integrated-gradients"):
        scorer.scores(IDS, target=0, method="magic")
    with pytest.raises(ConfigError, match="expected no padding"):
        scorer.scores([2, 0], target=0, method="occlusion", groups=[(0, 2)])


@pytest.mark.thorough
def test_a_graph_gives_the_same():
    model = random_classifier("gru", "attention")
    eager = TokenScorer(model).scores(IDS, target=0)
    tf.config.run_functions_eagerly(False)
    graph = TokenScorer(model).scores(IDS, target=0)
    np.testing.assert_allclose(graph.scores, eager.scores, atol=1e-5)
