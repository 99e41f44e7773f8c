import json
from pathlib import Path

import numpy as np
import pytest
from tiny import LABELS, finished_run, labelled_texts, run_config

from textrnn.analysis.dynamics.sampled_batches import Sample
from textrnn.analysis.redundancy import ThinningPlan, redundancy
from textrnn.data import Split
from textrnn.errors import ConfigError, DataError
from textrnn.evaluation.measurement import measure
from textrnn.inference.classifier import TrainedClassifier
from textrnn.progress import Silent

ROWS = labelled_texts(30, seed=7)
TEXTS, NAMES = [text for text, _ in ROWS], [(label,) for _, label in ROWS]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return finished_run(tmp_path_factory).classifier


@pytest.fixture(scope="module")
def ids(classifier):
    return classifier.tokenizer.encode_batch(TEXTS)


def test_every_token_read_is_the_plain_accuracy(classifier, ids):
    names = [*NAMES[:20], *(NAMES[0] for _ in NAMES[20:])]  # Some are wrong.
    result = redundancy(
        classifier, ids, labels=names, plan=ThinningPlan(every=(1, 2), drop=(0.0, 0.5))
    )
    plain = measure(classifier, Split(TEXTS, names), name="test", reporter=Silent())
    all_of_it, half, none_dropped, dropped = result.points
    assert all_of_it.accuracy == none_dropped.accuracy == pytest.approx(plain["accuracy"])
    assert 0.5 < all_of_it.accuracy < 1
    assert all_of_it.low < all_of_it.accuracy < all_of_it.high
    assert all_of_it.tokens == none_dropped.tokens == 1
    total = sum(map(len, ids))
    assert half.tokens == pytest.approx(sum(-(-len(row) // 2) for row in ids) / total)
    assert 0.3 < dropped.tokens < 0.7
    assert [(p.way, p.amount) for p in result.points] == [
        ("every", 1.0),
        ("every", 2.0),
        ("drop", 0.0),
        ("drop", 0.5),
    ]


def test_less_is_known_of_fewer_tokens(classifier, ids):
    result = redundancy(
        classifier, ids, labels=NAMES, plan=ThinningPlan(every=(1, 50), drop=(0.999,))
    )
    whole, first, none = (point.accuracy for point in result.points)
    assert whole > max(first, none)


def test_a_sample_is_drawn(classifier, ids):
    done: list[int] = []
    result = redundancy(
        classifier,
        ids,
        labels=NAMES,
        plan=ThinningPlan(every=(1,), drop=(0.5,)),
        sample=Sample(documents=8, tokens=0),
        on_batch=done.append,
    )
    assert (result.texts, sum(done)) == (8, 16)
    everything = redundancy(
        classifier,
        ids,
        labels=NAMES,
        plan=ThinningPlan(every=(1,), drop=()),
        sample=Sample(documents=0, tokens=0),
    )
    assert everything.texts == 30
    assert len(json.loads(json.dumps(result.to_dict()))["points"]) == 2


def test_of_several_labels_all_must_be_right(classifier, ids):
    config = run_config(Path("letters.csv"), multi_label=True)
    several = TrainedClassifier(classifier.model, classifier.tokenizer, LABELS, config)
    scores = several.score_ids(ids)
    true_labels = [tuple(np.array(LABELS)[row >= 0.5]) for row in scores]
    true_labels[0] = () if true_labels[0] else LABELS
    plan = ThinningPlan(every=(1,), drop=())
    (point,) = redundancy(several, ids, labels=true_labels, plan=plan).points
    assert point.accuracy == pytest.approx(29 / 30)


def test_a_plan_counts_its_ways():
    assert len(ThinningPlan()) == len(list(ThinningPlan())) == 10


def test_a_wrong_plan_is_an_error():
    with pytest.raises(ConfigError, match=r"`every` must hold integers from 1"):
        ThinningPlan(every=(0,))
    with pytest.raises(ConfigError, match=r"`drop` numbers in \[0, 1\)"):
        ThinningPlan(drop=(1.0,))


def test_wrong_texts_and_labels_are_errors(classifier, ids):
    with pytest.raises(DataError, match="got 30 texts and 2 labels"):
        redundancy(classifier, ids, labels=NAMES[:2])
    with pytest.raises(DataError, match="expected texts"):
        redundancy(classifier, [], labels=[])
    with pytest.raises(DataError, match="expected the labels neg, pos, got 'other'"):
        redundancy(classifier, ids[:1], labels=[("other",)])
