from textrnn.data.label_spelling import merge_spellings, rare_labels


def merge(*names, spellings=None):
    notices: list[str] = []
    labels = merge_spellings(
        [(name,) for name in names], spellings or {}, notices=notices, where="f"
    )
    return [name for (name,) in labels], notices


def test_different_labels_stay():
    assert merge("a", "A", "b") == (["a", "A", "b"], [])


def test_the_most_frequent_spelling_is_the_name():
    names, notices = merge("new\u00adyork", "newyork", "newyork")
    assert names == ["newyork"] * 3
    assert notices == [
        "f: several spellings read as one label: 'newyork' and 'new\\xadyork'; write each label in "
        "one way."
    ]


def test_a_whole_number_is_the_name_of_numbers():
    assert merge("1.0", "1.0", "1")[0] == ["1", "1", "1"]


def test_spellings_that_were_cleaned_are_reported():
    _, notices = merge("é", spellings={"é": {"é", "e\u0301"}})
    assert notices[0].startswith("f: several spellings read as one label: 'e\\u0301' and '\\xe9'")


def test_rare_labels_come_with_the_label_they_resemble():
    counts = {"sport": 40, "Sprot": 1, "xyz": 1}
    assert rare_labels(counts) == "'Sprot' (like 'sport', 40 rows), 'xyz'"


def test_only_a_few_rare_labels_are_listed():
    assert rare_labels(dict.fromkeys("abcdefgh", 1)) == "'a', 'b', 'c', 'd', 'e' and 3 more"
