import csv
import dataclasses

import numpy as np
import pytest
from tiny import QUIET, classifier, labelled_ids, labelled_texts, run_config, trainer, write_csv

from textrnn.errors import ModelError
from textrnn.training.loop import range_test as find_rate
from textrnn.training.run.classifier import find_learning_rate, train


def range_test(ours):
    return find_rate.find_rate(ours, seed=0)


def test_the_suggestion_is_below_where_the_loss_rises(tmp_path):
    found = range_test(trainer(tmp_path, model=classifier(head="mean")))
    assert found.rates[0] == pytest.approx(1e-5)
    assert (np.diff(found.rates) > 0).all()
    assert len(found.rates) == len(found.losses) == len(found.smooth)
    assert found.smooth.min() < 0.5 < found.smooth[0]
    best = found.rates[np.argmin(found.smooth)]
    assert found.suggestion == pytest.approx(best / 10)
    assert 1e-4 < found.suggestion < 0.1


def test_it_ends_where_the_loss_explodes(tmp_path, monkeypatch):
    monkeypatch.setattr(find_rate, "HIGHEST", 1e9)
    data = labelled_ids()
    chance = np.random.default_rng(0).integers(0, 2, size=len(data.targets))
    data = dataclasses.replace(data, targets=np.eye(2, dtype=np.float32)[chance])
    found = range_test(trainer(tmp_path, train=data))
    assert find_rate.FEWEST < len(found.rates) < find_rate.UPDATES
    assert found.suggestion < 10


def test_a_model_that_explodes_at_once_is_an_error(tmp_path):
    model = classifier()
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(ModelError, match=r"the loss explodes at a learning rate of 1\.0e-05"):
        range_test(trainer(tmp_path, model=model))


def test_a_run_can_be_trained_where_the_test_was_made(tmp_path, monkeypatch):
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    config = run_config(write_csv(tmp_path / "letters.csv", labelled_texts(40)))
    found = find_learning_rate(config, tmp_path / "run", reporter=QUIET)
    assert (tmp_path / "run" / "find_lr.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((tmp_path / "run" / "find_lr.csv").read_text().splitlines()))
    assert [float(row["learning_rate"]) for row in rows] == list(found.rates)
    assert train(config, tmp_path / "run", reporter=QUIET)
