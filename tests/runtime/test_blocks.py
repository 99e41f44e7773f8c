import pytest

from textrnn.runtime.blocks import blocks


@pytest.mark.parametrize(
    ("count", "lengths"), [(0, []), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3])]
)
def test_all_items_come_in_order_and_in_blocks(count, lengths):
    lists = list(blocks(range(count), 3))
    assert [len(block) for block in lists] == lengths
    assert [item for block in lists for item in block] == list(range(count))


def test_items_before_an_error_come_first():
    def items():
        yield from range(4)
        raise ValueError("broken")

    stream = blocks(items(), 3)
    assert [next(stream), next(stream)] == [[0, 1, 2], [3]]
    with pytest.raises(ValueError, match="broken"):
        next(stream)


def test_no_more_items_are_read_than_a_block_has():
    items = iter(range(10))
    next(blocks(items, 3))
    assert next(items) == 3
