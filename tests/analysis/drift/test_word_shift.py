import numpy as np
import pytest

from textrnn.analysis.drift.word_shift import ChanceDistances, divergence, token_counts

VOCAB = 200


def texts(count, *, seed, tilt=1.0, length=12):
    """Token ids by a law of Zipf; `tilt` is its exponent."""
    rng = np.random.default_rng(seed)
    shares = 1.0 / np.arange(1, VOCAB + 1) ** tilt
    return [rng.choice(VOCAB, length, p=shares / shares.sum()) for _ in range(count)]


@pytest.fixture(scope="module")
def chance():
    return ChanceDistances.measure(texts(800, seed=0), vocab_size=VOCAB)


def test_the_divergence_of_equal_and_of_disjoint_frequencies():
    assert divergence(np.array([3, 1]), np.array([6, 2])) == pytest.approx(0.0, abs=1e-9)
    assert divergence(np.array([3, 0]), np.array([0, 2])) == pytest.approx(1.0)
    assert divergence(np.zeros(2), np.array([0, 2])) == 1.0
    assert divergence(np.zeros(2), np.zeros(2)) == 0.0


def test_tokens_are_counted_in_all_texts():
    assert token_counts([np.array([1, 1]), np.array([3])], vocab_size=4).tolist() == [0, 2, 0, 1]
    assert token_counts([], vocab_size=2).tolist() == [0, 0]


def test_chance_makes_small_samples_differ_more(chance):
    assert list(chance.tokens) == sorted(chance.tokens)
    assert list(chance.means) == sorted(chance.means, reverse=True)


@pytest.mark.parametrize(("count", "length"), [(30, 12), (150, 12), (400, 12), (400, 3), (60, 60)])
def test_new_texts_of_the_same_kind_are_as_far_as_expected(chance, count, length):
    reference = token_counts(texts(800, seed=0), vocab_size=VOCAB)
    expected, deviation = chance.expected(count * length, int(reference.sum()))
    distances = [
        divergence(
            token_counts(texts(count, seed=seed, length=length), vocab_size=VOCAB), reference
        )
        for seed in range(1, 11)
    ]
    assert np.mean(distances) == pytest.approx(expected, rel=0.1)
    assert np.std(distances) < 3 * deviation


def test_other_frequencies_are_further(chance):
    reference = token_counts(texts(800, seed=0), vocab_size=VOCAB)
    new = token_counts(texts(100, seed=1, tilt=1.5), vocab_size=VOCAB)
    expected, deviation = chance.expected(int(new.sum()), int(reference.sum()))
    assert divergence(new, reference) > expected + 10 * deviation


@pytest.mark.parametrize("count", [2, 3, 5, 39, 41])
def test_few_training_texts(count):
    measured = ChanceDistances.measure(texts(count, seed=0), vocab_size=VOCAB)
    mean, deviation = measured.expected(500, count * 12)
    assert 0.0 < mean < 1.0
    assert deviation >= 0.0
