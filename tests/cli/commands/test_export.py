import json

import pytest
from light_models import random_language_pair
from light_processes import forget_network

from textrnn.config.choices import EXPORT_KINDS, EXPORT_PRECISIONS
from textrnn.export import manifest
from textrnn.export.manifest import Artefact, Check

VERIFIED = Artefact(
    "model",
    "tflite",
    "tflite/model.tflite",
    length=8,
    form="loop",
    size=20_000,
    checks=(Check("drift", 1e-6, "at most 1e-5", True), Check("accuracy", 0.75, "0.75", True)),
    latency_ms=1.5,
)
FAILED = Artefact(
    "model_int4", "tflite", "x.tflite", checks=(Check("drift", 2.0, "at most 1", False),)
)
LEFT_OUT = Artefact("onnx", "onnx", "", reason="needs tf2onnx")


class FakeExport:
    """Stands for an export or a verification: remembers its arguments, returns artefacts."""

    def __init__(self):
        self.artefacts = [VERIFIED, LEFT_OUT]

    def __call__(self, *folders, sample, reporter, options=None):
        self.folders, self.options = folders, options
        self.texts, self.targets = sample.texts, sample.targets
        return self.artefacts


@pytest.fixture
def write(monkeypatch):
    fake = FakeExport()
    monkeypatch.setattr("textrnn.export.run.export", fake)
    return fake


@pytest.fixture
def verify(monkeypatch):
    fake = FakeExport()
    monkeypatch.setattr("textrnn.export.run.verify_folder", fake)
    return fake


@pytest.mark.process
def test_exports_and_verifies_again(textrnn, finished, home):
    settings = ("--kind", "tflite", "--length", 8, "--texts", 4, "--precision", "float32")
    result = textrnn("export", finished.folder, "--output", home / "export", *settings)
    assert "verified" in result.stdout
    path = home / "export/tflite/model.tflite"
    assert path.is_file()
    again = textrnn("export", "--verify-only", home / "export", "--texts", 4, "--json")
    (artefact,) = json.loads(again.stdout)
    assert artefact["status"] == "verified"
    path.write_bytes(b"")
    changed = textrnn("export", "--verify-only", home / "export", "--texts", 4, code=1)
    assert "changed since it was verified" in changed.stderr


def test_everything_is_made_by_default(textrnn, finished, write):
    textrnn("export", finished.folder)
    options = write.options
    assert (options.formats, options.precisions) == (EXPORT_KINDS, EXPORT_PRECISIONS[1:])
    assert (options.lengths, options.form, options.version) == ((256,), "auto", 1)
    assert options.name == finished.folder.name
    assert write.folders == (finished.folder, finished.folder / "export")


def test_options_choose_what_is_made(textrnn, finished, write):
    many = ("--kind", "onnx", "--length", 8, "--length", 16, "--precision", "float32")
    more = ("--form", "loop", "--name", "films", "--version", 3, "--plain-ops", "--output", "out")
    textrnn("export", finished.folder, *many, *more)
    options = write.options
    assert (options.formats, options.lengths, options.precisions) == (("onnx",), (8, 16), ())
    assert (options.form, options.name, options.version) == ("loop", "films", 3)
    assert options.plain_ops
    assert str(write.folders[1]) == "out"


def test_validation_texts_verify_the_files(textrnn, finished, write):
    textrnn("export", finished.folder, "--texts", 3)
    labels = finished.classifier.labels
    assert len(write.texts) == len(write.targets) == 3
    for text, target in zip(write.texts, write.targets, strict=True):
        assert labels[target] == ("pos" if "x" in text else "neg")


def test_the_table_shows_what_was_made_and_left_out(textrnn, finished, write):
    lines = textrnn("export", finished.folder, "--output", "out").stdout.splitlines()
    (row,) = (line for line in lines if "verified" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["model", "8", "loop", "0.02", "1.50", "1.0e-06", "0.7500", "verified"]
    assert lines[-2:] == ["left out: onnx: needs tf2onnx", "export folder out"]


def test_a_file_that_fails_is_named_and_the_exit_code_is_1(textrnn, finished, write):
    write.artefacts = [VERIFIED, FAILED]
    result = textrnn("export", finished.folder, "--output", "out", "--json", code=1)
    assert [row["name"] for row in json.loads(result.stdout)] == ["model", "model_int4"]
    assert "textrnn: out/x.tflite: drift: expected at most 1, got 2.0\n" in result.stderr


def test_verify_only_writes_nothing(textrnn, verify, write, finished, home):
    (home / "export").mkdir()
    manifest.write(home / "export", [], about={"run": str(finished.folder)})
    textrnn("export", "--verify-only", home / "export")
    assert verify.folders == (home / "export",)
    assert not hasattr(write, "folders")


def test_needs_a_run_or_an_export_folder(textrnn, finished, home):
    assert "either RUN" in textrnn("export", code=2).stderr
    assert "either RUN" in textrnn("export", finished.folder, "--verify-only", home, code=2).stderr


def test_a_folder_that_is_no_run_is_named(textrnn, home):
    assert "none" in textrnn("export", home / "none", code=1).stderr


def test_a_form_that_does_not_suit_is_refused(textrnn, finished, home):
    result = textrnn("export", finished.folder, "--form", "fused", "--output", home / "x", code=1)
    assert "fused needs an LSTMCell" in result.stderr
    assert not (home / "x").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_a_language_model_is_exported_for_the_light_runtime_alone(textrnn, tmp_path, monkeypatch):
    monkeypatch.setattr("textrnn.export.reference.MEGABYTE", 2_000)
    random_language_pair(tmp_path / "lm")
    forget_network(tmp_path / "lm")
    (artefact,) = json.loads(textrnn("export", tmp_path / "lm", "--json").stdout)
    assert (artefact["kind"], artefact["status"]) == ("runtime", "verified")
    assert textrnn("score", tmp_path / "lm", "a", "--engine", "numpy").stdout
    files = tmp_path / "lm" / "export"
    (again,) = json.loads(textrnn("export", "--verify-only", files, "--json").stdout)
    assert (again["sha256"], again["status"]) == (artefact["sha256"], "verified")
    (files / "runtime" / "tokenizer.model").unlink()
    changed = textrnn("export", "--verify-only", files, code=1)
    assert "changed since it was verified" in changed.stderr
    refused = textrnn("export", tmp_path / "lm", "--kind", "onnx", code=2)
    assert "--kind onnx is for classifiers" in refused.stderr


def test_the_language_model_of_a_page_is_checked_at_once(textrnn, finished, pretrained, write):
    textrnn("export", finished.folder, "--kind", "web", "--language-model", pretrained.folder)
    assert write.options.language_model == pretrained.folder
    arguments = ("export", finished.folder, "--language-model")
    refused = textrnn(*arguments, pretrained.folder, "--kind", "onnx", code=2)
    assert "--language-model is for the page of --kind web" in refused.stderr
    refused = textrnn(*arguments, "nowhere", code=1)
    assert "nowhere: expected a run folder, found none" in refused.stderr
