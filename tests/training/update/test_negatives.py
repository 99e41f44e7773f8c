import numpy as np

from textrnn.training.update.negatives import Negatives


def test_negatives_are_the_same_for_an_update_and_follow_the_counts():
    counts = np.array([0, 1, 10, 100, 1000])
    negatives = Negatives(counts, size=50, seed=3)
    first, again, second = (negatives.draw(update) for update in (0, 0, 1))
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert any(len(a) != len(b) or (a != b).any() for a, b in zip(first, second, strict=True))
    weights = np.zeros(5)
    share = (counts + 1.0) ** 0.75
    share /= share.sum()
    for update in range(2000):
        drawn, offsets = negatives.draw(update)
        weights[drawn] += np.exp(offsets)
    # m_k / (S q_k) is 1 on average, whatever q: the sum over the vocabulary is not biased.
    np.testing.assert_allclose(weights / 2000, 1.0, atol=0.25)
