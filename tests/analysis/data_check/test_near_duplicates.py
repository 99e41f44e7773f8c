import random

import pytest

from textrnn.analysis.data_check.near_duplicates import near_duplicate_of

LONG = (
    "The parcel was left at the neighbour's door although somebody was at home all day, and the "
    "courier neither rang nor left a card; I ask for a new delivery on a day that suits me, or "
    "for the money, because this is the third time that it has happened."
)


@pytest.mark.parametrize(
    "copy",
    [
        LONG,
        LONG.upper(),
        LONG.replace(",", "").replace(";", " -"),
        LONG.replace("courier", "driver"),
        f"{LONG} Many thanks!",
        LONG.replace("third", "3rd"),
    ],
)
def test_a_changed_copy_is_found(copy):
    assert near_duplicate_of(["something else", LONG, "a film", copy]) == {3: 1}


def test_numbers_do_not_make_a_text_another_one():
    assert near_duplicate_of(["Order 123 is late", "order 987 is late!"]) == {1: 0}


@pytest.mark.parametrize(
    "pair",
    [
        ("123", "456"),
        ("\U0001f600", "\U0001f622"),
        ("good film", "bad film"),
        ("", "?"),
        ("好", "坏"),
    ],
)
def test_different_texts_are_not(pair):
    assert near_duplicate_of(pair) == {}


def test_each_copy_is_mapped_to_the_most_similar_earlier_text():
    copies = [LONG, f"{LONG} Thanks!", f"{LONG} Thanks", LONG]
    assert near_duplicate_of(copies) == {1: 0, 2: 1, 3: 0}


def test_a_chain_of_changes_is_followed():
    chain = [LONG[: len(LONG) - 25 * step] for step in range(4)]
    assert near_duplicate_of(chain) == {1: 0, 2: 1, 3: 2}


def test_many_copies_are_compared_with_some_of_them_only():
    copies = [f"{LONG} {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    assert set(near_duplicate_of(copies)) == set(range(1, 26))


@pytest.mark.parametrize("length", [150, 190, 200, 210, 260])
def test_pairs_on_both_sides_of_the_limit_of_long_texts_are_found(length):
    rng = random.Random(length)
    text = "".join(rng.choices("abcdefghijklmnop ", k=length))
    assert near_duplicate_of([text, f"{text} many thanks"]) == {1: 0}


def test_unrelated_texts_of_one_vocabulary_are_not_near():
    rng = random.Random(0)
    words = LONG.split()
    texts = [" ".join(rng.choices(words, k=12)) for _ in range(300)]
    assert near_duplicate_of(texts) == {}


def test_progress_counts_each_text_once():
    done: list[int] = []
    texts = ["short", LONG, LONG, "x" * 180, ""]
    near_duplicate_of(texts, on_progress=done.append)
    assert sum(done) <= len(texts)
