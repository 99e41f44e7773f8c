import json

import pytest
import yaml

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.inference.run_files import load_config, read_settings


@pytest.mark.parametrize("more", [(), ("--plain",)])
def test_the_printed_defaults_are_a_file_of_settings(textrnn, home, more):
    (home / "all.yaml").write_text(textrnn("config", "print", *more).stdout)
    assert load_config(home / "all.yaml") == ClassifierRunConfig()


def test_a_language_model_has_settings_of_its_own(textrnn, home):
    (home / "all.yaml").write_text(textrnn("config", "print", "--kind", "language-model").stdout)
    assert read_settings(home / "all.yaml", LanguageModelRunConfig) == LanguageModelRunConfig()


def test_every_setting_has_its_help_as_a_comment(textrnn):
    lines = textrnn("config", "print").stdout.splitlines()
    comments = " ".join(line.strip(" #") for line in lines if line.startswith("  # "))
    assert "Highest learning rate." in comments
    assert not [line for line in textrnn("config", "print", "--plain").stdout if line == "#"]


def test_the_settings_of_a_run_are_printed(textrnn, finished):
    values = yaml.safe_load(textrnn("config", "print", finished.folder).stdout)
    assert values["model"] == finished.config.to_dict()["model"]


def test_check_lists_what_differs_from_the_default(textrnn, home):
    (home / "mine.yaml").write_text("model: {units: 3, cell: mingru}\nschedule: {epochs: 2}\n")
    result = textrnn("config", "check", "mine.yaml", "--json")
    assert json.loads(result.stdout)["changed"] == {"units": 3, "epochs": 2}
    result = textrnn("config", "check", "mine.yaml")
    assert "mine.yaml: valid; 2 settings not at the default" in result.stdout


def test_check_names_the_kind_of_a_run(textrnn, finished):
    assert (
        json.loads(textrnn("config", "check", finished.folder, "--json").stdout)["kind"]
        == "classifier"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: {unit: 3}", "mine.yaml: unknown setting unit; did you mean units?; known: "),
        ("training: {epochs: 3}", "mine.yaml: unknown section training; known: data, task, "),
        ("model: {epochs: 3}", "mine.yaml: `epochs` belongs to section `schedule`, got it in"),
        ("model: {units: 0}", "mine.yaml: `units` must be at least 1, got 0."),
        ("about: {format_version: 1}", "mine.yaml: expected format version 2, got 1; load it"),
        ("about: {format_version: 2, kind: bird}", "expected the settings of a classifier or a "),
        ("model: [", "mine.yaml, line 1, column 9: expected YAML, got: "),
    ],
)
def test_check_says_what_is_wrong(textrnn, home, text, message):
    (home / "mine.yaml").write_text(text)
    assert message in textrnn("config", "check", "mine.yaml", code=1).stderr


def test_explain_tells_meaning_section_default_and_bounds(textrnn):
    text = textrnn("config", "explain", "dropout").stdout
    assert text.startswith("dropout, --dropout  (model; default 0.5; number, at least 0, below 1)")
    assert "Share of the pooled vector" in text


def test_the_automatic_default_is_shown_as_auto(textrnn):
    text = textrnn("config", "explain", "--epochs").stdout
    assert text.startswith(
        "epochs, --epochs  (schedule; default auto; integer, at least 1, or auto)"
    )


def test_explain_takes_sections_and_flags(textrnn):
    entries = json.loads(textrnn("config", "explain", "start", "--json").stdout)
    assert list(entries) == ["init_from", "keep_labels", "vectors", "pretrain_epochs"]
    entries = json.loads(textrnn("config", "explain", "--json", "--", "--learning-rate").stdout)
    assert list(entries) == ["learning_rate"]


def test_explain_without_names_explains_every_setting(textrnn):
    entries = json.loads(textrnn("config", "explain", "--json").stdout)
    assert list(entries) == list(ClassifierRunConfig.section_of())


def test_an_unknown_name_names_those_like_it(textrnn):
    result = textrnn("config", "explain", "learning_rat", code=1)
    assert "got learning_rat; did you mean learning_rate" in result.stderr


def test_check_imports_the_module_of_an_own_cell(textrnn, home, monkeypatch):
    monkeypatch.syspath_prepend("")
    (home / "cells_to_check.py").write_text(
        "import keras, textrnn\n"
        "@keras.saving.register_keras_serializable(package='check')\n"
        "class Mine(textrnn.SimpleRNNCell): pass\n"
    )
    (home / "mine.yaml").write_text("model: {cell: check>Mine, imports: cells_to_check}")
    assert "2 settings not at the default" in textrnn("config", "check", "mine.yaml").stdout
    (home / "mine.yaml").write_text("model: {cell: check>Typo, imports: cells_to_check}")
    error = textrnn("config", "check", "mine.yaml", code=1).stderr
    assert "mine.yaml: `cell` must be one of simple, " in error
    assert "check>Mine" in error
    (home / "mine.yaml").write_text("model: {cell: check>Other, imports: gone}")
    error = textrnn("config", "check", "mine.yaml", code=1).stderr
    assert "`imports` (--import) names the module gone, which cannot be imported" in error
