"""The settings, labels and weights of a run that continues the training of a classifier."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from tiny import LABELS, QUIET, classifier, labelled_texts, not_none, stop_after, write_csv

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.classifier import TextClassifier
from textrnn.training.run.classifier import train
from textrnn.training.run.continuation import (
    learned_validation_notice,
    logit_scale,
    take_over,
)
from textrnn.training.run.origin import ORIGIN
from textrnn.training.run.transfer import adopt_shape, adopted_settings

pytestmark = pytest.mark.usefixtures("cache", "eagerly")


@pytest.fixture
def data(tmp_path):
    """Texts of the labels of the finished run, and of a new one."""
    rows = [*labelled_texts(30, seed=3), *((f"z {letter} z", "new") for letter in "abcdefgh")]
    return write_csv(tmp_path / "more.csv", rows)


def continued(data, run, **settings) -> ClassifierRunConfig:
    config = ClassifierRunConfig.of(train_file=str(data), init_from=str(run.folder), **settings)
    return adopt_shape(config, given=settings)


def dense(model: TextClassifier) -> tuple[np.ndarray, np.ndarray]:
    kernel, bias = model.classify.get_weights()
    return np.array(kernel), np.array(bias)


def test_the_settings_that_weights_depend_on_are_those_of_the_classifier(data, finished):
    config = continued(data, finished, epochs=1, learning_rate=0.01)
    theirs = finished.config
    assert config.model == dataclasses.replace(theirs.model, ngrams=None)
    assert config.tokenizer == theirs.tokenizer
    assert config.optimizer.learning_rate == 0.01
    assert continued(data, finished, dropout=0.4).model.dropout == 0.4
    assert {"units", "head", "vocab_size", "multi_label"} <= adopted_settings(config)
    assert not adopted_settings(ClassifierRunConfig())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"units": 9}, "`units` must be that of .*, 3, got 9; leave it out"),
        ({"head": "mean"}, "`head` must be that of .*, max, got mean"),
        ({"vocab_size": 999}, "`vocab_size` must be that of"),
        ({"multi_label": True}, "expected one label per text, as .* got `multi_label`"),
        ({"language_weight": 0.1}, "`language_weight` needs a language model as `init_from`"),
    ],
)
def test_a_setting_that_does_not_suit_the_classifier_is_an_error(data, finished, settings, message):
    with pytest.raises(ConfigError, match=message):
        continued(data, finished, **settings)


def test_a_multi_label_classifier_keeps_its_kind(data, tmp_path):
    source = ClassifierRunConfig.of(multi_label=True)
    run_folder.begin(tmp_path / "multi", source)
    config = ClassifierRunConfig.of(train_file=str(data), init_from=str(tmp_path / "multi"))
    assert adopt_shape(config).task.multi_label
    with pytest.raises(ConfigError, match=r"expected `multi_label`, as .* has it"):
        adopt_shape(config, given={"multi_label"})


def test_rows_of_the_dense_layer_follow_the_names_of_the_labels(finished):
    source = finished.classifier
    model = TextClassifier(source.tokenizer.vocab_size, 3, config=finished.config.model)
    model.build((None, None))
    fresh_kernel, fresh_bias = dense(model)
    take_over(source, model, labels=("pos", "new", "neg"))
    kernel, bias = dense(model)
    old_kernel, old_bias = dense(source.model)
    scale = logit_scale(source.metrics)
    for place, label in ((0, "pos"), (2, "neg")):
        old = LABELS.index(label)
        np.testing.assert_allclose(kernel[:, place], old_kernel[:, old] / scale, rtol=1e-6)
        np.testing.assert_allclose(bias[place], old_bias[old] / scale, rtol=1e-6)
    np.testing.assert_array_equal(kernel[:, 1], fresh_kernel[:, 1])
    assert bias[1] == fresh_bias[1]
    for ours, theirs in (
        (source.model.embedding, model.embedding),
        (not_none(source.model.stack), not_none(model.stack)),
    ):
        for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_model_of_another_shape_is_an_error(finished):
    source: TrainedClassifier = finished.classifier
    with pytest.raises(ConfigError, match="adopt_shape copies them"):
        take_over(source, classifier(cell="mingru", units=7), labels=LABELS)


def test_a_share_that_cannot_be_undone_is_left():
    assert logit_scale({"ngrams": {"weights": {"rnn": 0.5}}}) == 0.5
    assert logit_scale({"ngrams": {"weights": {"rnn": 0.01}}}) == 1.0
    assert logit_scale({}) == 1.0


def test_a_run_that_holds_out_other_texts_of_the_same_file_is_reported(data, tmp_path):
    more = write_csv(tmp_path / "other.csv", labelled_texts(4))
    source = ClassifierRunConfig.of(train_file=str(data))
    both = source.replace(train_file=f"{data},{more}", init_from="runs/first")
    assert "the validation figures are too good" in not_none(
        learned_validation_notice(both, source)
    )
    for config in (
        source.replace(init_from="runs/first"),
        both.replace(train_file=str(more)),
        both.replace(valid_file=str(more)),
    ):
        assert learned_validation_notice(config, source) is None


@pytest.mark.thorough
def test_training_continues_with_old_and_new_labels(data, finished, tmp_path):
    config = continued(data, finished, epochs=2, linear_baseline=False)
    trained = not_none(train(config, tmp_path / "run", reporter=QUIET))
    assert trained.labels == ("neg", "pos", "new")
    assert [p.label for p in trained.predict(["a x b", "y c", "z a z"])] == ["pos", "neg", "new"]
    start = json.loads((tmp_path / "run" / "metrics.json").read_text())["start"]
    assert start["new_labels"] == ["new"]
    card = (tmp_path / "run" / "README.md").read_text()
    assert "The training continued that of the classifier" in card
    assert "new labels: new" in card
    assert not (tmp_path / "run" / ORIGIN).exists()


@pytest.mark.thorough
def test_a_run_resumes_to_the_same_weights_after_its_classifier_is_gone(data, finished, tmp_path):
    source = shutil.copytree(finished.folder, tmp_path / "source")
    run = finished._replace(folder=source)
    config = continued(data, run, epochs=2, linear_baseline=False)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", reporter=QUIET, should_stop=stop_after(3))
    whole = not_none(train(config, tmp_path / "whole", reporter=QUIET))
    shutil.rmtree(source)
    resumed = not_none(train(config, tmp_path / "run", reporter=QUIET, resume=True))
    assert resumed.labels == whole.labels
    pairs = zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)
    assert resumed.metrics["start"] == whole.metrics["start"]
