"""Settings in the file of a run or in one written by hand."""

from pathlib import Path

import pytest
import yaml

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import run_folder


def test_a_begun_run_holds_settings_and_versions(tmp_path):
    config = ClassifierRunConfig.of(learning_rate=3e-5)
    run_folder.begin(tmp_path / "run", config)
    values = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert values["about"]["format_version"] == 2
    assert set(values["about"]["packages"]) == {
        "textrnn",
        "tensorflow",
        "keras",
        "sentencepiece",
        "numpy",
    }
    assert run_folder.load_config(tmp_path / "run" / "config.yaml") == config
    assert not run_folder.is_complete(tmp_path / "run")


def settings_file(tmp_path: Path, text: str) -> Path:
    (tmp_path / "settings.yaml").write_text(text)
    return tmp_path / "settings.yaml"


def test_settings_may_be_written_by_hand(tmp_path):
    path = settings_file(tmp_path, "model: {units: 3}\noptimizer:\n  learning_rate: 1\n")
    config = run_folder.load_config(path)
    assert (config.model.units, config.optimizer.learning_rate) == (3, 1.0)


@pytest.mark.parametrize(
    ("written", "number"),
    [("3e-3", 0.003), ("1E+1", 10.0), ("2.5e-05", 2.5e-5), ("1.e1", 10.0), ("7", 7.0)],
)
def test_numbers_may_be_written_as_scientists_do(tmp_path, written, number):
    config = run_folder.load_config(
        settings_file(tmp_path, f"optimizer: {{learning_rate: {written}}}")
    )
    assert config.optimizer.learning_rate == number


def test_what_only_looks_like_a_number_stays_a_text(tmp_path):
    config = run_folder.load_config(settings_file(tmp_path, "data: {text_column: 1e3x}"))
    assert config.data.text_column == "1e3x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "model: {unit: 3}",
            r"settings\.yaml: unknown setting unit; did you mean units\?; known: ",
        ),
        ("model: {units: -1}", r"settings\.yaml: `units` must be at least 1"),
        ("modle: {}", r"settings\.yaml: unknown section modle"),
        ("model: [", r"settings\.yaml, line 1, column \d+: expected YAML, got: "),
        ("a: 2001-99-99", r"settings\.yaml: expected YAML, got: month must be"),
        ("just words", r"settings\.yaml: expected sections of settings, got 'just words'"),
        ("", r"settings\.yaml: expected sections of settings, got an empty file"),
    ],
)
def test_wrong_settings_are_reported_with_their_file(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message) as info:
        run_folder.load_config(settings_file(tmp_path, text))
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("text", ["about: {format_version: 9}", "about: 9", "about: {}"])
def test_settings_of_another_version_are_an_error(tmp_path, text):
    with pytest.raises(ModelError, match="expected format version 2, got "):
        run_folder.load_config(settings_file(tmp_path, text))


@pytest.mark.parametrize("name", ["none.yaml", ".", "settings.yaml/x"])
def test_settings_that_cannot_be_read_are_an_error(tmp_path, name):
    settings_file(tmp_path, "")
    with pytest.raises(ModelError, match="expected a file of settings, got: "):
        run_folder.load_config(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected sections of settings, got an empty file"),
        ("a, b, c\n" * 1000, "expected sections of settings, got 'a, b, "),
        ("data:\n  train_file: [a\n", r"line 3, column 1: expected YAML, got: "),
    ],
)
def test_a_file_that_holds_no_settings_is_not_repeated_in_the_message(tmp_path, text, message):
    path = settings_file(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as info:
        run_folder.load_config(path)
    assert len(str(info.value)) < len(str(path)) + 200
