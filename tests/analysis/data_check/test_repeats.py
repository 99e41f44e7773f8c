from planted_tickets import planted_tickets, share_found

from textrnn.analysis.data_check.repeats import check_repeats, find_repeats


def found(*splits, near=True):
    repeats = find_repeats(splits, near=near)
    return {(f.kind, f.split): f for f in check_repeats(splits, repeats)}


def test_duplicates_differ_in_case_and_white_space(split_of):
    finding = found(split_of([("A film", "x"), ("b", "y"), ("a  FILM", "x")]))
    assert finding["exact_duplicates", "train"].rows == (3,)


def test_near_duplicates_are_apart_from_exact_ones(split_of):
    split = split_of([("Order 1 is late", "x"), ("order 2 is late", "x"), ("Order 1 is late", "x")])
    by_kind = found(split)
    assert by_kind["near_duplicates", "train"].rows == (2,)
    assert by_kind["exact_duplicates", "train"].rows == (3,)
    assert ("near_duplicates", "train") not in found(split, near=False)


def test_equal_texts_with_different_labels(split_of):
    finding = found(split_of([("good", "x"), ("Good", "y"), ("good", "x")]))
    contradiction = finding["exact_contradictions", "train"]
    assert (contradiction.rows, contradiction.severity) == ((2,), "warning")
    assert "row 2 (y) and row 1 (x)" in contradiction.message


def test_the_order_of_several_labels_is_no_contradiction(split_of):
    finding = found(split_of([("good", ("x", "y")), ("good", ("y", "x"))]))
    assert ("exact_contradictions", "train") not in finding


def test_many_leaks_are_an_error_and_one_of_many_texts_a_warning(split_of):
    train = split_of([("a leaked text", "x"), ("another text", "y")])
    leaked = found(train, split_of([("A leaked text", "x")], "test"))["exact_leaks", "test"]
    assert (leaked.severity, leaked.rows) == ("error", (1,))
    assert "equal to a training text" in leaked.message
    others = [(f"entirely different {'xyz'[n % 3] * n}", "x") for n in range(200)]
    test = split_of([("A leaked text", "x"), *others], "test")
    assert found(train, test)["exact_leaks", "test"].severity == "warning"


def test_a_near_leak_into_the_validation_data(split_of):
    train = split_of([("Order 1 is late", "x"), ("other", "y")])
    validation = split_of([("Order 2 is late", "x"), ("third", "y")], "validation")
    assert found(train, validation)["near_leaks", "validation"].rows == (1,)


def test_all_planted_duplicates_are_found(split_of):
    table = planted_tickets(500)
    split = split_of(list(zip(table.texts, table.labels, strict=True)))
    places = {repeat.place for repeat in find_repeats([split])}
    assert share_found(table.duplicates, places) == 1.0
    assert places == table.duplicates
