"""When a job is started again."""

from textrnn.cluster.restarts import Restarts


def test_the_pause_grows_up_to_a_limit():
    restarts = Restarts(most=9)
    pauses = [restarts.pause_after(0) for _ in range(9)]
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert restarts.count == 9


def test_it_gives_up_after_as_many_restarts_without_progress():
    restarts = Restarts(most=2)
    assert [restarts.pause_after(5) for _ in range(3)] == [1.0, 2.0, None]
    assert restarts.count == 2


def test_progress_begins_the_count_again():
    restarts = Restarts(most=2)
    assert [restarts.pause_after(update) for update in (0, 1, 2, 3, 3, 3)] == [
        *(1.0, 1.0, 1.0, 1.0),
        *(2.0, None),
    ]
    assert restarts.count == 5
