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
    result = range_test(trainer(tmp_path, model=classifier(head="mean")))
    assert result.rates[0] == pytest.approx(1e-5)
    assert (np.diff(result.rates) > 0).all()
    assert len(result.rates) == len(result.losses) == len(result.smooth)
    assert result.smooth.min() < 0.5 < result.smooth[0]
    best = result.rates[np.argmin(result.smooth)]
    assert result.suggestion == pytest.approx(best / 10)
    assert 1e-4 < result.suggestion < 0.1


def test_it_ends_where_the_loss_explodes(tmp_path, monkeypatch):
    monkeypatch.setattr(find_rate, "HIGHEST", 1e9)
    data = labelled_ids()
    chance = np.random.default_rng(0).integers(0, 2, size=len(data.targets))
    data = dataclasses.replace(data, targets=np.eye(2, dtype=np.float32)[chance])
    result = range_test(trainer(tmp_path, train=data))
    assert find_rate.FEWEST < len(result.rates) < find_rate.UPDATES
    assert result.suggestion < 10


def test_a_model_that_explodes_at_once_is_an_error(tmp_path):
    model = classifier()
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(ModelError, match=r"the loss explodes at a learning rate of 1\.0e-05"):
        range_test(trainer(tmp_path, model=model))


@pytest.mark.thorough
def test_a_run_can_be_trained_where_the_test_was_made(tmp_path, monkeypatch):
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    config = run_config(write_csv(tmp_path / "letters.csv", labelled_texts(40)))
    result = find_learning_rate(config, tmp_path / "run", reporter=QUIET)
    assert (tmp_path / "run" / "find_lr.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((tmp_path / "run" / "find_lr.csv").read_text().splitlines()))
    assert [float(row["learning_rate"]) for row in rows] == list(result.rates)
    assert train(config, tmp_path / "run", reporter=QUIET)
