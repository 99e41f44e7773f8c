from textrnn.analysis.data_check.brief import brief_check
from textrnn.data import Corpus, Split


def corpus(pairs):
    train = Split([text for text, _ in pairs], [(label,) for _, label in pairs])
    labels = tuple(sorted({label for _, label in pairs}))
    return Corpus("data", train, train.take([]), None, labels, ())


def many(label, count):
    return [(f"{label} {n}", label) for n in range(count)]


def test_clean_data_needs_no_words():
    assert brief_check(corpus(many("a", 50) + many("b", 50))) == []


def test_many_repeated_texts_are_told():
    (sentence,) = brief_check(corpus(many("a", 50) + many("b", 50) + many("a", 10)))
    assert sentence.startswith("10 of 110 training texts (9.1%) repeat an earlier one")


def test_a_few_repeated_texts_are_usual():
    assert brief_check(corpus(many("a", 50) + many("b", 50) + many("a", 2))) == []


def test_small_classes_are_told_unless_all_are_small():
    (sentence,) = brief_check(corpus(many("a", 50) + many("b", 4)))
    assert "1 label has fewer than 10 training texts and may not be learned: 'b' (4)" in sentence
    assert brief_check(corpus(many("a", 4) + many("b", 4))) == []


def test_a_label_of_one_row_is_left_to_the_notices():
    assert brief_check(corpus(many("a", 50) + many("b", 1))) == []
