"""Labels that look like something other than classes."""

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.label_checks import check_labels
from textrnn.errors import DataError


def check(*names, cells=None, **settings):
    notices: list[str] = []
    cells = dict.fromkeys(names, 1) if cells is None else dict.fromkeys(cells, 1)
    labels = [(name,) for name in names]
    check_labels(
        labels, cells, config=ClassifierRunConfig.of(**settings), notices=notices, where="f"
    )
    return notices


def test_classes_need_no_notice():
    assert check("pos", "neg", "pos") == []


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        (["0,1,0", "1,0,0"], {}, "got vectors of 0 and 1 such as '0,1,0'; name their 3 labels"),
        (["a,b", "b,c", "a,c"], {}, "got combinations such as 'a,b', .* set `multi_label=True`"),
        (["a", "b", "a;b"], {}, "got combinations such as 'a;b'"),
        (["a;b", "c"], {"multi_label": True}, "but ';' in 'a;b' and others; set `label_sep"),
        ([f"{n}.5" for n in range(60)], {}, "got 60 different numbers with fractions, such as"),
        (["2026-01-02", "2026-01-03 10:00"] * 9, {}, "got 2 different dates, such as 2026-01-02"),
        (["1.2.2026", "3.2.2026"] * 9, {}, "got 2 different dates"),
        ([f"text {n}" for n in range(30)], {}, "got 30 different labels in 30 rows, such as"),
    ],
)
def test_what_is_not_a_class_is_an_error(names, settings, message):
    with pytest.raises(DataError, match=message):
        check(*names, **settings)
    check(*names, check_labels=False, **settings)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["spam", "Spam"], "differ only in case or width are different classes: 'spam' (1 row)"),
        (["b\u0430d", "bad"], "labels with letters of two scripts"),
        ([*map(str, range(60))] * 2, "60 different numbers taken as classes, without an order"),
        (["good", "none"], "taken as classes: 'none' (1 row); leave these cells empty"),
    ],
)
def test_what_may_be_a_mistake_is_a_notice(names, message):
    (notice,) = check(*names)
    assert notice.startswith("f: ")
    assert message in notice
