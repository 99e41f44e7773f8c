import numpy as np
import pytest
import tensorflow as tf
from cases import few
from tiny import classifier as fresh_classifier
from tiny import random_classifier, with_ngrams

from textrnn.errors import ConfigError
from textrnn.inference import reader as readers
from textrnn.inference.reader import Reader, model_digest
from textrnn.models.label_space import LabelSpace

IDS = [2, 3, 4, 5, 6, 7]


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "ngrams"])
def model(request):
    plain = random_classifier("mingru", "mean", bidirectional=False)
    return with_ngrams(plain) if request.param else plain


@pytest.fixture(scope="module", params=few([False, True]))
def label_space(request):
    return LabelSpace(("neg", "pos"), multi_label=request.param)


@pytest.fixture(scope="module")
def reader(model, label_space):
    return Reader(model, label_space=label_space)


def probabilities(model, label_space, ids) -> np.ndarray:
    return label_space.activation(model(tf.constant([ids]))).numpy()[0]


def test_texts_of_any_length_are_read_together(model, label_space, reader):
    scores, state = reader.read(reader.start(2), [IDS[:2], IDS[:4]])
    scores, state = reader.read(state, [IDS[2:], []])
    np.testing.assert_allclose(scores[0], probabilities(model, label_space, IDS), atol=1e-5)
    np.testing.assert_allclose(scores[1], probabilities(model, label_space, IDS[:4]), atol=1e-5)
    assert all(len(array) == 2 for array in state)


def test_a_long_piece_is_read_in_parts(model, label_space, reader, monkeypatch):
    monkeypatch.setattr(readers, "PIECE_TOKENS", 4)
    expected = [probabilities(model, label_space, IDS[: end + 1]) for end in range(len(IDS))]
    scores, _ = reader.read(reader.start(1), [IDS])
    np.testing.assert_allclose(scores[0], expected[-1], atol=1e-5)
    scores, _ = reader.read_each(reader.start(1), IDS)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_model_that_needs_the_whole_text_cannot_be_read_in_pieces(label_space):
    with pytest.raises(ConfigError):
        Reader(random_classifier("mingru", "mean"), label_space=label_space)


def test_the_digest_depends_on_the_weights_and_the_settings(model):
    again = random_classifier("mingru", "mean", bidirectional=False)
    again = again if model.ngrams is None else with_ngrams(again)
    assert model_digest(model) == model_digest(again)
    again.classify.bias.assign_add([0.0, 1.0])
    assert model_digest(model) != model_digest(again)
    plain, residual = (fresh_classifier(cell="none", residual=on) for on in (False, True))
    assert model_digest(plain) != model_digest(residual)
