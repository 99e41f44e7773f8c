import numpy as np
import pytest

from textrnn.data.column_store import LabelColumn
from textrnn.errors import DataError
from textrnn.models.label_space import LabelSpace
from textrnn.models.targets import ClassTargets


def compact_targets(space, labels):
    column = LabelColumn.of(labels)
    return space.compact_targets(column.distinct, codes=column.codes)


@pytest.mark.parametrize("places", [[3], [2, 0, 4, 2, 2, 1], [1, 1, 1]])
def test_the_methods_are_those_of_the_array(places):
    targets, array = ClassTargets(np.array(places), classes=5), np.eye(5, dtype=np.float32)[places]
    assert targets.shape == array.shape
    assert len(targets) == len(array)
    np.testing.assert_array_equal(targets[:], array)
    np.testing.assert_array_equal(targets[[0, -1]], array[[0, -1]])
    np.testing.assert_array_equal(targets[0], array[0])
    np.testing.assert_array_equal(targets[:, 2], array[:, 2])
    np.testing.assert_array_equal(targets.sum(axis=0), array.sum(axis=0))
    np.testing.assert_array_equal(targets.argmax(axis=1), array.argmax(axis=1))
    np.testing.assert_array_equal(targets.take(np.array([0]))[:], array[:1])
    values = np.arange(5, dtype=np.float32) / 3
    np.testing.assert_array_equal(targets @ values, array @ values)
    for ours, theirs in (
        (targets[:], array),
        (targets.sum(axis=0), array.sum(axis=0)),
        (targets.sum(axis=0, dtype=np.float64), array.sum(axis=0, dtype=np.float64)),
        (targets @ values, array @ values),
    ):
        assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(("classes", "size"), [(1, 1), (256, 1), (257, 2), (70_000, 4)])
def test_a_text_takes_as_few_bytes_as_the_labels_need(classes, size):
    targets = ClassTargets(np.array([0, classes - 1]), classes=classes)
    assert targets.nbytes == 2 * size
    assert targets.argmax(axis=1).tolist() == [0, classes - 1]


def test_the_other_axis_is_an_error():
    targets = ClassTargets(np.array([0, 1]), classes=2)
    with pytest.raises(ValueError, match="`axis` must be 0, got 1"):
        targets.sum(axis=1)
    with pytest.raises(ValueError, match="`axis` must be 1, got 0"):
        targets.argmax(axis=0)


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("rows", ["c", "abcab", "bb"])
def test_compact_targets_are_the_targets(multi_label, rows):
    space = LabelSpace(("b", "c", "a"), multi_label=multi_label)
    labels = [(row,) for row in rows]
    compact = compact_targets(space, labels)
    assert isinstance(compact, np.ndarray if multi_label else ClassTargets)
    np.testing.assert_array_equal(compact[:], space.targets(labels))


def test_several_labels_or_none_stay_an_array():
    space = LabelSpace(("a", "b"), multi_label=True)
    assert compact_targets(space, [("a", "b"), ()])[:].tolist() == [[1, 1], [0, 0]]


def test_a_label_that_no_text_has_any_more_may_be_unknown():
    space = LabelSpace(("a", "b"), multi_label=False)
    column = LabelColumn.of([("a",), ("gone",), ("b",)])
    assert compact_targets(space, column.take([2, 0]))[:].tolist() == [[0, 1], [1, 0]]
    with pytest.raises(DataError, match="got 'gone'"):
        compact_targets(space, column)
