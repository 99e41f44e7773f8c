from pathlib import Path

import pytest
from tiny import finished_run

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import run_folder
from textrnn.training.run.origin import ORIGIN, Origin


def test_a_classifier_has_labels_and_a_tokenizer(tmp_path_factory):
    run = finished_run(tmp_path_factory)
    origin = Origin.of(ClassifierRunConfig.of(init_from=str(run.folder)))
    assert origin == Origin(str(run.folder), ("neg", "pos"))
    assert origin.read_tokenizer().to_bytes() == run.classifier.tokenizer.to_bytes()
    assert Origin.of(ClassifierRunConfig()) is None


@pytest.mark.parametrize("labels", [("a", "b"), None])
def test_an_origin_is_saved_and_read(tmp_path, labels):
    origin = Origin("runs/first", labels)
    origin.save(tmp_path)
    assert Origin.load(tmp_path) == origin


def test_a_lost_or_damaged_file_is_an_error(tmp_path):
    for content in (None, "", "[]", "{}"):
        if content is not None:
            (tmp_path / ORIGIN).write_text(content)
        with pytest.raises(ModelError, match="train again with `overwrite`"):
            Origin.load(tmp_path)
    with pytest.raises(ConfigError, match="choose another `output`"):
        Origin("runs/first", None).save(tmp_path / "missing")


def test_an_unfinished_run_is_no_start(tmp_path):
    config = ClassifierRunConfig.of(init_from=str(tmp_path))
    run_folder.begin(tmp_path, ClassifierRunConfig())
    with pytest.raises(ModelError, match="this run is not finished"):
        Origin.of(config)


def test_metrics_and_message_name_new_and_dropped_labels():
    origin = Origin("runs/first", ("a", "b"))
    assert origin.to_metrics(("b", "c")) == {
        "run": "runs/first",
        "kind": "classifier",
        "new_labels": ["c"],
        "dropped_labels": ["a"],
    }
    assert "with 1 new label (c) and 1 dropped label (a)" in origin.message(("b", "c"))
    assert "with the same labels" in origin.message(("a", "b"))
    model = Origin("runs/lm", None)
    assert model.to_metrics(("a",)) == {
        "run": "runs/lm",
        "folder": str(Path("runs/lm").absolute()),
        "kind": "language_model",
    }
    assert model.message(("a",)) == "starting from the language model runs/lm"
