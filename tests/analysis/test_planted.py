import numpy as np
import pytest

from textrnn.analysis.planted import FIRST_WORD, PlantedTask, accuracies
from textrnn.errors import ConfigError

TASK = PlantedTask(16, classes=3, noise_words=4)


def test_the_word_stands_where_it_should_and_once(rng):
    for distance in (0, 5, 15):
        drawn = TASK.draw(30, rng, distance=distance)
        assert drawn.ids.shape == (30, 16)
        assert (drawn.distances == distance).all()
        words = drawn.ids < FIRST_WORD + 3
        assert (words.sum(axis=1) == 1).all()
        np.testing.assert_array_equal(drawn.ids[:, 15 - distance], FIRST_WORD + drawn.labels)


def test_the_labels_are_balanced_and_out_of_order(rng):
    labels = TASK.draw(30, rng, distance=3).labels
    assert np.bincount(labels).tolist() == [10, 10, 10]
    assert labels.tolist() != sorted(labels)


def test_nothing_but_the_word_tells_the_label(rng):
    drawn = PlantedTask(8, noise_words=2).draw(4000, rng, distance=2)
    rest = np.delete(drawn.ids, 5, axis=1)
    assert set(np.unique(rest)) == {4, 5}
    # Of 2,000 texts of a label each noise word fills half the places, give or take 4 deviations.
    for label in (0, 1):
        share = (rest[drawn.labels == label] == 4).mean(axis=0)
        assert np.abs(share - 0.5).max() < 4 * 0.5 / np.sqrt(2000)


def test_mixed_distances_are_as_many_of_each_scale(rng):
    distances = TASK.draw(4000, rng).distances
    assert distances.min() == 0
    assert distances.max() == 14
    scales = [np.mean((low <= distances + 1) & (distances + 1 < 2 * low)) for low in (1, 2, 4, 8)]
    assert scales == pytest.approx([0.25] * 4, abs=0.03)


def test_ids_fit_the_vocabulary(rng):
    assert TASK.vocab_size == 9
    assert TASK.draw(500, rng).ids.max() == 8


def test_accuracy_of_a_model_that_sees_three_tokens():
    def model(ids):
        words = (ids[:, -3:, None] == FIRST_WORD + np.arange(3)).any(axis=1)
        return words.astype(float)

    accuracy_by_distance = accuracies(model, TASK, distances=[0, 2, 3, 15], texts=300, seed=1)
    # What it does not see it takes for the first label, which is that of a third.
    assert accuracy_by_distance == pytest.approx([1.0, 1.0, 1 / 3, 1 / 3])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "`steps` must be at least 1, got 0"),
        ({"steps": 4, "classes": 1}, "`classes` must be at least 2, got 1"),
        ({"steps": 4, "noise_words": 0}, "`noise_words` must be at least 1, got 0"),
    ],
)
def test_wrong_numbers(settings, message):
    with pytest.raises(ConfigError, match=message):
        PlantedTask(**settings)


def test_a_distance_beyond_the_text(rng):
    with pytest.raises(ConfigError, match="less than the 16 tokens of a text, got 16"):
        TASK.draw(1, rng, distance=16)
