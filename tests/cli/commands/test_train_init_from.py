"""`textrnn train --init-from`, which starts a classifier from a language model or a classifier."""

import shutil
from pathlib import Path

import pytest
from tiny import stop_after

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.inference import run_folder
from textrnn.inference.run_files import CONFIG
from textrnn.training.run import classifier as running


def test_the_settings_become_those_of_the_language_model(textrnn, fake_train, pretrained):
    more = ("--layer-rate", "0.5", "--unfreeze", "0.2")
    textrnn("train", "--init-from", pretrained.folder, *more)
    config = fake_train.config
    assert (config.model.units, config.model.separate_directions) == (3, True)
    assert (config.model.dropout, config.model.word_dropout) == (0.3, 0.1)
    assert (config.optimizer.layer_rate, config.schedule.unfreeze) == (0.5, 0.2)


def test_the_dropout_rates_of_a_file_of_settings_stay(textrnn, fake_train, pretrained, home):
    (home / "my.yaml").write_text(f"start: {{init_from: {pretrained.folder}}}")
    textrnn("train", "--config", "my.yaml", "--dropout", "0.4")
    model, default = fake_train.config.model, ClassifierRunConfig().model
    assert (model.dropout, model.word_dropout) == (0.4, default.word_dropout)


def test_another_shape_than_that_of_the_language_model_is_refused(textrnn, pretrained, data):
    result = textrnn(
        "train", "--train-file", data, "--init-from", pretrained.folder, "--units", "9", code=1
    )
    assert f"--units must be that of {pretrained.folder}, 3, got 9; leave it" in result.stderr


def test_a_missing_language_model_is_named(textrnn):
    assert "nowhere" in textrnn("train", "--init-from", "nowhere", code=1).stderr


@pytest.mark.thorough
def test_a_run_that_has_begun_needs_its_language_model_no_more(
    textrnn, pretrained, data, monkeypatch
):
    train = running.train
    shutil.copytree(pretrained.folder, "lm")
    arguments: tuple[str, ...] = (
        "train",
        "--train-file",
        data,
        "--init-from",
        "lm",
        "--epochs",
        "1",
    )
    arguments += ("--language-weight", "0.1", "--resume-or-start", "--output", "run")
    with monkeypatch.context() as patch:
        patch.setattr(
            running,
            "train",
            lambda *values, **options: train(*values, **{**options, "should_stop": stop_after(1)}),
        )
        result = textrnn(*arguments, code=130)
    assert "starting from the language model lm" in result.stderr
    assert "saved; continue with" in result.stderr
    tokenizer = Path("run/tokenizer.model").read_bytes()
    assert tokenizer == (pretrained.folder / "tokenizer.model").read_bytes()
    Path("lm").rename("elsewhere")
    assert "resuming after 0 epochs, 1 batch" in textrnn(*arguments).stderr
    fresh = textrnn(*arguments[:-1], "another", code=1)
    assert (
        "expected the run folder of a language model or of a classifier, found none" in fresh.stderr
    )


@pytest.mark.parametrize("typed", [(), ("--init-from", "gone")])
def test_a_run_resumes_without_its_language_model(textrnn, fake_train, home, typed):
    config = ClassifierRunConfig.of(dataset="imdb", init_from="gone")
    run_folder.begin(home / "run", config)
    assert (home / "run" / CONFIG).is_file()
    textrnn("train", "--resume", *typed, "--output", "run")
    assert fake_train.config == config


def test_the_settings_become_those_of_a_classifier(textrnn, fake_train, finished):
    textrnn("train", "--init-from", finished.folder, "--no-keep-labels", "--epochs", "2")
    config = fake_train.config
    assert (config.model.units, config.model.head, config.schedule.epochs) == (3, "max", 2)
    assert not config.start.keep_labels


def test_options_that_the_classifier_does_not_have_are_refused(textrnn, finished, data):
    command = ("train", "--train-file", data, "--init-from", finished.folder)
    result = textrnn(*command, "--multi-label", code=1)
    assert "expected one label per text, as" in result.stderr
    result = textrnn(*command, "--head", "mean", code=1)
    assert f"--head must be that of {finished.folder}, max, got mean; leave it" in result.stderr
