import datetime

import pytest

from textrnn.data.labels import RowError
from textrnn.data.times import TimeReader


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2024-05-31", "2024-06-01"),
        ("2024-05-31", "2024-05-31T00:00:01"),
        ("2024-05-31T12:00:00+02:00", "2024-05-31T10:30:00Z"),
        ("2024/5/9", "2024-05-10"),
        (datetime.date(2024, 5, 31), datetime.datetime(2024, 5, 31, 1)),
        (datetime.date(2024, 5, 31), "2024-06-01 08:00:00"),
        ("9", "10"),
        (3, "3.5"),
    ],
)
def test_times_are_in_order(earlier, later):
    reader = TimeReader()
    assert reader.read(earlier) < reader.read(later)


@pytest.mark.parametrize("cell", ["", " ", None, "soon", "31.05.2024", "nan", True, "2024-13-01"])
def test_what_is_no_time_is_a_fault_of_the_row(cell):
    with pytest.raises(RowError, match=r"expected a time such as 2024-05-31, .*, got "):
        TimeReader().read(cell)


def test_dates_and_numbers_do_not_mix():
    reader = TimeReader()
    reader.read("2024-05-31")
    with pytest.raises(RowError, match='expected a date as time, as in the rows before, got "7"'):
        reader.read("7")
