"""The contributions of n-grams are exact."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tiny import not_none, random_classifier, with_ngrams

from textrnn.analysis.attribution.methods import TokenScorer
from textrnn.analysis.attribution.ngrams import (
    NGramScore,
    hidden_scores,
    ngram_scores,
    token_shares,
)

pytestmark = pytest.mark.usefixtures("eagerly")

IDS = np.array([2, 5, 3, 3, 9], np.int32)


@pytest.fixture(scope="module")
def model():
    return with_ngrams(random_classifier("gru", "attention", word_dropout=0.1))


def ngram_logit(model, target):
    ngrams = not_none(model.ngrams)
    return float(ngrams(tf.constant(IDS[np.newaxis]))[0, target]), float(ngrams.bias[target])


@pytest.mark.parametrize("target", [0, 1])
def test_the_scores_sum_to_the_logit_of_the_n_grams(model, target):
    scores = ngram_scores(model, IDS, target=target)
    logit, bias = ngram_logit(model, target)
    assert {stop - first for first, stop, _ in scores} == {1, 2}
    assert sum(score for _, _, score in scores) + bias == pytest.approx(logit, abs=1e-5)
    assert token_shares(scores, 5).sum() + bias == pytest.approx(logit, abs=1e-5)


def test_a_model_without_n_grams_has_no_scores():
    assert ngram_scores(random_classifier("gru", "mean"), IDS, target=0) == ()


def test_a_hidden_token_takes_its_n_grams_away():
    scores = [NGramScore(0, 1, 1.0), NGramScore(0, 2, 10.0), NGramScore(2, 3, 100.0)]
    groups = [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)]
    np.testing.assert_allclose(hidden_scores(scores, groups, 4), [11, 10, 100, 111, 0])


def test_integrated_gradients_are_complete(model):
    scores = TokenScorer(model).scores(IDS, target=1)
    logit = float(model(tf.constant(IDS[np.newaxis]))[0, 1])
    assert scores.logit == pytest.approx(logit, abs=1e-4)
    assert not_none(scores.completeness_error) <= 0.01
    plain = TokenScorer(random_classifier("gru", "attention", word_dropout=0.1))
    shares = token_shares(scores.ngrams, 5)
    expected = plain.scores(IDS, target=1).scores + shares
    np.testing.assert_allclose(scores.scores, expected, atol=1e-4)


def test_occlusion_hides_the_n_grams_of_a_token(model):
    scores = TokenScorer(model).scores(IDS, target=1, method="occlusion", groups=[(0, 2), (2, 5)])
    plain = TokenScorer(random_classifier("gru", "attention", word_dropout=0.1))
    rnn = plain.scores(IDS, target=1, method="occlusion", groups=[(0, 2), (2, 5)])
    lost = hidden_scores(scores.ngrams, [(0, 2), (2, 5)], 5)
    assert (scores.scores - rnn.scores)[0] == pytest.approx(lost[0] / 2, abs=1e-5)
    assert (scores.scores - rnn.scores)[4] == pytest.approx(lost[1] / 3, abs=1e-5)


def test_the_head_s_weights_are_those_of_the_recurrence(model):
    scores = TokenScorer(model).scores(IDS, target=1, method="head")
    assert scores.scores.sum() == pytest.approx(1, abs=1e-5)
    assert scores.logit == pytest.approx(float(model(IDS[np.newaxis])[0, 1]), abs=1e-4)


def test_an_empty_text_has_the_biases(model):
    scores = TokenScorer(model).scores([], target=1)
    bias = not_none(model.ngrams).bias.numpy() + model.classify.bias.numpy()
    assert scores.logit == pytest.approx(float(bias[1]), abs=1e-5)
    assert scores.ngrams == ()
