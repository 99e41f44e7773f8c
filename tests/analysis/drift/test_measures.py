import dataclasses

import numpy as np
import pytest
from planted_tickets import planted_tickets

from textrnn.analysis.drift.measures import (
    Measure,
    confidence_shift,
    label_shift,
    length_shift,
    unknown_shift,
    with_verdicts,
    word_shift,
)
from textrnn.analysis.drift.profile import AnswerProfile, Profile, TextProfile, quantiles
from textrnn.analysis.drift.word_shift import token_counts
from textrnn.models.label_space import LabelSpace

SPACE = LabelSpace(("a", "b", "c"), multi_label=False)
VOCAB = 400


def ids_of(texts):
    words = [text.casefold().split() for text in texts]
    return [np.array([hash_of(word) for word in row]) for row in words]


def hash_of(word):
    return 2 + sum(ord(c) * 31**place for place, c in enumerate(word)) % (VOCAB - 2)


def answers(count, *, seed, shares=(0.5, 0.3, 0.2), sharp=3.0):
    """An answer profile of random probabilities."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=[count, 3])
    logits[np.arange(count), rng.choice(3, count, p=shares)] += sharp
    p = np.exp(logits)
    ids = [np.array([5, 6])] * count
    return AnswerProfile.of(p / p.sum(axis=1, keepdims=True), ids, label_space=SPACE)


def measures(training, validation, *, texts, answered):
    ids = ids_of(texts)
    return with_verdicts(
        [
            word_shift(training, token_counts(ids, vocab_size=VOCAB)),
            length_shift(training, np.array([len(text) for text in texts])),
            unknown_shift(validation, answered),
            label_shift(validation, answered, labels=SPACE.labels),
            confidence_shift(validation, answered),
        ]
    )


@pytest.mark.thorough
def test_random_halves_of_one_set_never_alarm():
    texts = planted_tickets(1200, duplicate_share=0.0).texts
    alarms = []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(1200)
        parts = [
            [texts[place] for place in order[s]] for s in np.split(np.arange(1200), [500, 600])
        ]
        train, held_out, new = parts
        training = TextProfile.of(train, ids_of(train), held_out=ids_of(held_out), vocab_size=VOCAB)
        result = measures(
            training,
            answers(300, seed=seed),
            texts=new,
            answered=answers(600, seed=100 + seed),
        )
        alarms += [m.name for m in result if m.is_drift]
    assert alarms == []


def test_each_shift_is_found_by_its_measure():
    texts = planted_tickets(600, duplicate_share=0.0).texts
    training = TextProfile.of(
        texts[:300], ids_of(texts[:300]), held_out=ids_of(texts[300:350]), vocab_size=VOCAB
    )
    before = answers(300, seed=0)
    other = ["a completely different sentence about planets and stars"] * 250
    result = {
        m.name: m
        for m in measures(
            training,
            before,
            texts=other,
            answered=answers(250, seed=1, shares=(0.1, 0.1, 0.8), sharp=6.0),
        )
    }
    found = {name for name, m in result.items() if m.is_drift}
    assert found == {"words", "lengths", "predicted labels", "confidence"}
    assert "'c' " in result["predicted labels"].detail


def test_a_significant_but_tiny_difference_is_no_drift():
    small = Measure("m", 0.01, 0.1, p_value=1e-12, detail="")
    large_by_chance = Measure("n", 0.5, 0.1, p_value=0.03, detail="")
    real = Measure("o", 0.5, 0.1, p_value=1e-5, detail="")
    verdicts = with_verdicts([small, large_by_chance, real])
    assert [m.is_drift for m in verdicts] == [False, False, True]
    assert verdicts[1].p_value == 0.03
    assert verdicts[2].p_value == pytest.approx(2e-5)


def test_many_labels_of_few_texts_are_no_shift():
    rng = np.random.default_rng(0)
    labels = [str(n) for n in range(150)]
    counts = [rng.multinomial(count, [1 / 150] * 150) for count in (1000, 100)]
    profiles = [dataclasses.replace(answers(5, seed=0), labels=c) for c in counts]
    shift = label_shift(*profiles, labels=labels)
    assert abs(shift.size) < 0.05
    assert shift.p_value > 0.01


def test_only_more_unknown_pieces_are_drift():
    known = dataclasses.replace(answers(200, seed=0), unknown_mean=0.0, unknown_deviation=0.0)
    unknown = dataclasses.replace(known, unknown_mean=0.2, unknown_deviation=0.1)
    assert unknown_shift(known, unknown).p_value < 1e-6
    assert unknown_shift(unknown, known).p_value > 0.9
    assert unknown_shift(known, known).p_value == 1.0


def test_unknown_pieces_are_counted_by_text():
    ids = [np.array([1, 5]), np.array([5, 5]), np.zeros(0, int)]
    profile = AnswerProfile.of(np.full([3, 3], 1 / 3), ids, label_space=SPACE)
    assert profile.unknown_mean == pytest.approx(0.5 / 3)


def test_the_confidence_of_several_labels_is_that_of_the_decisions():
    space = LabelSpace(("a", "b"), multi_label=True)
    profile = AnswerProfile.of(
        np.array([[0.9, 0.2], [0.5, 0.5]]), [np.array([2])] * 2, label_space=space
    )
    assert profile.confidences.tolist() == pytest.approx([0.5, 0.85])
    assert profile.labels.tolist() == [2, 1]


def test_quantiles_keep_the_distribution():
    values = np.random.default_rng(0).normal(size=10_000)
    few = quantiles(values)
    assert len(few) == 501
    assert np.median(few) == pytest.approx(np.median(values), abs=0.01)
    assert quantiles(np.array([3, 1])).tolist() == [1, 3]


def test_a_profile_survives_its_file():
    texts = planted_tickets(60).texts
    ids = ids_of(texts)
    profile = Profile(
        TextProfile.of(texts, ids, held_out=ids[:10], vocab_size=VOCAB), answers(30, seed=0)
    )
    read = Profile.from_dict(profile.to_dict())
    assert read is not None
    assert read.to_dict() == profile.to_dict()
    assert (read.training.counts == profile.training.counts).all()
    assert Profile.from_dict({}) is None
    assert Profile.from_dict({**profile.to_dict(), "format": 99}) is None


def test_a_profile_has_no_text():
    texts = planted_tickets(60).texts
    ids = ids_of(texts)
    profile = Profile(
        TextProfile.of(texts, ids, held_out=ids[:5], vocab_size=VOCAB), answers(9, seed=0)
    )
    assert "team" not in str(profile.to_dict())
