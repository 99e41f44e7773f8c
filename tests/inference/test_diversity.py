import numpy as np

from textrnn.inference.diversity import choose_different

GROUPS = [[10 * group + 2, 10 * group + 3, 10 * group + 4] for group in range(4)]


def texts(count, *, seed=0):
    """Texts of four groups, whose tokens no other group has, and one token of their own."""
    noise = np.random.default_rng(seed)
    return [[*noise.permutation(GROUPS[n % 4]), 1000 + n] for n in range(count)]


def test_each_group_of_texts_is_represented():
    tokens = texts(40)
    chosen = choose_different(tokens, weights=np.ones(40), count=4)
    assert sorted(place % 4 for place in chosen) == [0, 1, 2, 3]
    assert chosen == sorted(chosen)


def test_many_texts_are_compared_in_fewer_dimensions():
    tokens = texts(400)
    chosen = choose_different(tokens, weights=np.ones(400), count=4, seed=3)
    assert sorted(place % 4 for place in chosen) == [0, 1, 2, 3]
    assert choose_different(tokens, weights=np.ones(400), count=4, seed=3) == chosen


def test_the_weights_draw_the_centres():
    # One cluster of three texts in a line: the centre is nearest to the text of the most weight.
    tokens = [[2, 3], [3, 4], [4, 5]]
    for heavy in range(3):
        weights = np.full(3, 0.01)
        weights[heavy] = 1.0
        assert choose_different(tokens, weights=weights, count=1) == [heavy]


def test_equal_texts_are_chosen_only_if_there_are_no_others():
    tokens = [[2, 3], [3, 2], [2, 3], [7, 8]]
    assert choose_different(tokens, weights=np.ones(4), count=2) == [0, 3]
    assert choose_different(tokens, weights=np.ones(4), count=3) == [0, 1, 3]


def test_texts_without_tokens_and_without_weight_are_allowed():
    assert choose_different([[], [], []], weights=np.zeros(3), count=2) == [0, 1]
    assert len(choose_different([[], [2], [3]], weights=np.zeros(3), count=2)) == 2


def test_all_texts_are_chosen_if_there_are_not_more():
    assert choose_different([[2], [2]], weights=np.ones(2), count=5) == [0, 1]
    assert choose_different([], weights=np.ones(0), count=5) == []
