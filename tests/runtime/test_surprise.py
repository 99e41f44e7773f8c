"""The surprise of the words of a text."""

import math

import numpy as np
import pytest
from light_models import HARD_TEXTS, random_language_pair, random_pair

from textrnn.errors import ConfigError
from textrnn.runtime.likelihood import Likelihood
from textrnn.runtime.surprise import surprise_of


def test_a_word_has_the_bits_of_its_tokens():
    likelihood = Likelihood(("un", "seen", "x"), np.log([0.5, 0.25, 0.125, 0.5]))
    spans = [(0, 2), (2, 6), (6, 8)]
    surprise = surprise_of(likelihood, "unseen x", spans=spans, unusual_bits_per_token=1.5)
    assert [(word.text, word.start, word.end) for word in surprise.words] == [
        ("unseen", 0, 6),
        ("x", 7, 8),
    ]
    assert [word.bits for word in surprise.words] == pytest.approx([3.0, 3.0])
    values = surprise.to_dict()
    expected = {"bits": 7.0, "bits_per_word": 3.0, "bits_per_token": 1.75, "end_bits": 1.0}
    assert {name: values[name] for name in expected} == pytest.approx(expected)
    assert values["unusual"] is True


def test_the_words_and_the_end_have_the_bits_of_the_text(tmp_path):
    model = random_language_pair(tmp_path, cell="lstm", unusual=None).model
    for text in HARD_TEXTS:
        surprise = model.surprise(text)
        bits = sum(word.bits for word in surprise.words) + surprise.end_bits
        assert surprise.bits == pytest.approx(bits, rel=1e-6)
        assert surprise.unusual is None
        (likelihood,) = model.score([text])
        assert surprise.bits == pytest.approx(-likelihood.log_likelihood / math.log(2.0), rel=1e-6)


def test_a_text_of_no_words_has_no_bits_per_word(tmp_path):
    assert random_language_pair(tmp_path).model.surprise("").to_dict()["bits_per_word"] is None


def test_a_classifier_alone_knows_no_surprise(tmp_path):
    with pytest.raises(ConfigError, match="name the run of one as `language_model`"):
        random_pair(tmp_path, cell="none").model.surprise("a")
