from textrnn.analysis.data_check.class_sizes import check_class_sizes, class_counts


def many(label, count):
    return [(f"{label} {n}", label) for n in range(count)]


def found(splits, **settings):
    return {finding.kind: finding for finding in check_class_sizes(splits, **settings)}


def test_counts_by_class_and_split(split_of):
    splits = [split_of(many("a", 3) + many("b", 5)), split_of(many("a", 1), "test")]
    assert class_counts(splits) == {"b": {"train": 5, "test": 0}, "a": {"train": 3, "test": 1}}


def test_a_class_of_few_texts_is_a_warning_with_its_rows(split_of):
    small = found([split_of(many("a", 100) + many("b", 3))])["small_classes"]
    assert small.severity == "warning"
    assert "'b' (3)" in small.message
    assert small.rows == (101, 102, 103)


def test_balanced_classes_are_fine(split_of):
    assert found([split_of(many("a", 60) + many("b", 60))]) == {}


def test_imbalance_names_what_a_constant_answer_reaches(split_of):
    message = found([split_of(many("a", 900) + many("b", 50))])["imbalance"].message
    assert "always 'a' is right for 95%" in message


def test_one_class_is_an_error_unless_texts_may_have_none(split_of):
    splits = [split_of(many("a", 120))]
    assert found(splits)["one_class"].severity == "error"
    assert "one_class" not in found(splits, multi_label=True)


def test_classes_that_the_test_data_cannot_measure(split_of):
    train = split_of(many("a", 60) + many("b", 60) + many("c", 60))
    test = split_of(many("a", 100) + many("b", 4), "test")
    by_kind = found([train, test])
    assert by_kind["unmeasured_classes"].message == "No test text has the 1 class c."
    assert "'b' (4)" in by_kind["hardly_measured_classes"].message


def test_few_texts_are_a_warning(split_of):
    assert found([split_of(many("a", 20) + many("b", 20))])["few_texts"].count == 40
