from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus, load_split
from textrnn.data.folds import fold_numbers, fold_parts
from textrnn.errors import ConfigError, DataError

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=40, max_size=80)


@examples(40)
@given(rows=ROWS, count=st.integers(2, 5), seed=st.integers(0, 99), stratify=st.booleans())
def test_each_row_is_in_one_fold_with_its_group(rows, count, seed, stratify):
    labels, groups = [(label,) for label, _ in rows], [group for _, group in rows]
    if len(set(groups)) < count:
        return
    numbers = fold_numbers(labels, count=count, seed=seed, stratify=stratify, groups=groups)
    assert set(numbers) <= set(range(1, count + 1))
    folds_of_group: dict[int, set[int]] = {group: set() for group in groups}
    for group, number in zip(groups, numbers, strict=True):
        folds_of_group[group].add(number)
    assert {len(folds) for folds in folds_of_group.values()} == {1}
    assert numbers == fold_numbers(labels, count=count, seed=seed, stratify=stratify, groups=groups)


def test_each_label_has_its_share_of_each_fold():
    labels = [("a",)] * 80 + [("b",)] * 20
    numbers = fold_numbers(labels, count=5, seed=3)
    counts = Counter(zip(numbers, labels, strict=True))
    assert {counts[fold, ("a",)] for fold in range(1, 6)} == {16}
    assert {counts[fold, ("b",)] for fold in range(1, 6)} == {4}


def test_labels_of_fewer_rows_than_folds_are_left_to_chance():
    numbers = fold_numbers([("a",)] * 20 + [("b",)] * 2, count=5, seed=0)
    assert set(numbers) == {1, 2, 3, 4, 5}
    rare = fold_numbers([(str(row),) for row in range(10)], count=5, seed=0)
    assert Counter(rare) == dict.fromkeys(range(1, 6), 2)


def test_in_time_a_fold_is_after_what_its_run_learns_from():
    times = [float(7 * row % 40) for row in range(40)]
    numbers = fold_numbers([("a",)] * 40, count=3, seed=0, times=times)
    assert Counter(numbers) == {0: 10, 1: 10, 2: 10, 3: 10}
    for fold in (1, 2, 3):
        learned, measured = fold_parts(numbers, fold, by_time=True)
        assert max(times[row] for row in learned) < min(times[row] for row in measured)


def test_equal_times_are_in_one_part():
    times = [1.0] * 5 + [2.0] * 3 + [3.0] * 4
    numbers = fold_numbers([("a",)] * 12, count=2, seed=0, times=times)
    assert numbers == [0] * 5 + [1] * 3 + [2] * 4


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"times": [1.0, 1.0, 2.0]}, "divide the texts into 3 parts, got 2 different times"),
        ({"groups": [0, 0, 0]}, "at least 2 different texts or groups for 2 folds, got 1"),
    ],
)
def test_too_few_for_the_folds_are_a_data_error(more, message):
    with pytest.raises(DataError, match=message):
        fold_numbers([("a",), ("b",), ("a",)], count=2, seed=0, **more)


# In the data of a run


@pytest.fixture
def tickets(tmp_path) -> str:
    """40 rows of 8 customers in the order of their dates, a blank text among them."""
    lines = ["text,label,customer,date"]
    for n in range(40):
        text = "" if n == 3 else f"text {n}"
        customer = "" if n > 37 else f"c{n % 8}"
        lines.append(f"{text},{'neg' if n % 3 else 'pos'},{customer},2024-02-{1 + n // 2:02}")
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def corpus_of(tickets, *, seed=0, **more) -> Any:
    """The corpus; `Any`, because the tests know which of its parts there are."""
    return load_corpus(config_of(tickets, **more), seed=seed)


def config_of(tickets, **more):
    return ClassifierRunConfig.of(train_file=tickets, **more)


def customer(text):
    return int(text.removeprefix("text ")) % 8 if int(text.removeprefix("text ")) < 38 else text


def test_the_folds_are_the_test_data_of_their_runs(tickets):
    corpora = [corpus_of(tickets, fold=f"{number}/3", seed=1) for number in (1, 2, 3)]
    measured = [text for corpus in corpora for text in corpus.test.texts]
    assert sorted(measured) == sorted(f"text {n}" for n in range(40) if n != 3)
    for corpus in corpora:
        parts = [*corpus.train.texts, *corpus.validation.texts, *corpus.test.texts]
        assert sorted(parts) == sorted(measured)
        assert corpus.label_names == ("neg", "pos")


def test_a_fold_knows_the_rows_of_its_texts(tickets):
    test = corpus_of(tickets, fold="2/3", seed=1).test
    assert [f"text {row}" for row in test.places] == test.texts


def test_load_split_gives_the_fold_of_the_corpus(tickets):
    config = config_of(tickets, fold="2/3", group_column="customer")
    corpus = load_corpus(config, seed=1)
    for which in ("train", "validation", "test"):
        split, _ = load_split(config, which, seed=1, label_names=corpus.label_names)
        assert split == getattr(corpus, which)


def test_a_group_is_in_one_part(tickets):
    corpus = corpus_of(tickets, fold="1/3", group_column="customer", seed=0)
    parts = [
        {customer(text) for text in split.texts}
        for split in (corpus.train, corpus.validation, corpus.test)
    ]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_by_time_the_latest_texts_are_held_out(tickets):
    corpus = corpus_of(tickets, time_column="date", valid_fraction=0.2, seed=0)
    assert corpus.validation.texts == [f"text {n}" for n in range(32, 40)]


def test_by_time_a_fold_follows_what_is_learned(tickets):
    corpus = corpus_of(tickets, time_column="date", fold="1/3", seed=0)
    assert max(corpus.train.times) < min(corpus.validation.times)
    assert max(corpus.validation.times) < min(corpus.test.times)
    assert len(corpus.test) < 12


def test_only_training_data_needs_the_columns(tickets, table):
    valid = table("valid.csv", [("a", "pos"), ("b", "neg")])
    corpus = corpus_of(tickets, group_column="customer", valid_file=valid, seed=0)
    assert corpus.validation.texts == ["a", "b"]


def test_label_columns_and_groups_are_read_together(tmp_path):
    path = tmp_path / "flags.jsonl"
    path.write_text(
        "".join(
            f'{{"text": "text {n}", "x": {n % 2}, "y": {n % 3 % 2}, "who": {n % 5}}}\n'
            for n in range(30)
        )
    )
    config = ClassifierRunConfig.of(
        train_file=str(path), multi_label=True, label_columns="x,y", group_column="who"
    )
    corpus: Any = load_corpus(config, seed=0)
    assert corpus.label_names == ("x", "y")
    assert not set(corpus.train.groups) & set(corpus.validation.groups)


def test_a_label_that_begins_later_is_reported(tmp_path):
    path = tmp_path / "late.csv"
    rows = [f"text {n},{'late' if n > 45 else 'ab'[n % 2]},{n}" for n in range(50)]
    path.write_text("\n".join(["text,label,when", *rows]))
    corpus = corpus_of(str(path), time_column="when", seed=0)
    assert "late" in corpus.label_names
    assert any("no training text is left of 1 label (late)" in n for n in corpus.notices)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"group_column": "client"}, DataError, "one column named 'client' in .*`group_column`"),
        ({"time_column": "customer"}, DataError, r"csv:2: expected a time such as .*, got \"c0\""),
        ({"fold": "1/60"}, DataError, "at least 60 different texts or groups for 60 folds, got 39"),
        ({"fold": "1/3", "test_file": "a.csv"}, ConfigError, "either `fold` or `test_file`"),
    ],
)
def test_what_cannot_be_divided_is_an_error(tickets, settings, error, message):
    with pytest.raises(error, match=message):
        corpus_of(tickets, **settings, seed=0)


def test_a_source_without_columns_has_no_groups(tmp_path):
    for label in "ab":
        (tmp_path / "mails" / label).mkdir(parents=True)
        (tmp_path / "mails" / label / "1.txt").write_text("text")
    with pytest.raises(DataError, match="expected a column 'who' beside the label, got texts with"):
        load_corpus(config_of(str(tmp_path / "mails"), group_column="who"), seed=0)
