import pytest

from textrnn.analysis.data_check.label_names import check_label_names


def found(split_of, **counts):
    pairs = [("t", name) for name, count in counts.items() for _ in range(count)]
    return list(check_label_names(split_of(pairs)))


def test_names_that_differ_only_in_their_form(split_of):
    (finding,) = found(split_of, **{"E-Mail": 40, "email": 30, "film": 5})
    assert finding.severity == "warning"
    assert "differ only in their form: 'E-Mail' (40 rows) and 'email' (30 rows)" in finding.message


def test_a_rare_name_is_probably_the_misspelling(split_of):
    (finding,) = found(split_of, **{"politics": 40, "polltics": 2})
    assert (finding.severity, finding.rows) == ("warning", (41, 42))


def test_two_frequent_names_are_only_named(split_of):
    (finding,) = found(split_of, politics=40, policies=0, politicks=40)
    assert (finding.severity, finding.rows) == ("info", ())
    assert finding.message.startswith("1 pair of labels are nearly equal: 'politics'")


@pytest.mark.parametrize("names", [("level 1", "level 2"), ("pos", "neg"), ("red", "bed")])
def test_other_names_are_different_labels(split_of, names):
    assert found(split_of, **dict.fromkeys(names, 20)) == []
