"""An export from end to end: the files, their verification, and the errors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from exported import Exported, exported_run
from tiny import QUIET, finished_run

import textrnn
from textrnn.errors import ConfigError, ModelError
from textrnn.export import manifest, reference
from textrnn.export.run import ExportOptions, export, verify_folder
from textrnn.export.sample import VerificationSample

SAMPLE = VerificationSample(["a"], [1])


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    pytest.importorskip("mediapipe", reason="needs textrnn[mediapipe]")
    pytest.importorskip("onnxruntime", reason="needs textrnn[onnx]")
    return exported_run(tmp_path_factory)


@pytest.fixture(autouse=True)
def shorter_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uses the reference of `exported_run`."""
    monkeypatch.setattr(reference, "MEGABYTE", 100_000)


def copied(exported: Exported, name: str) -> Path:
    """A copy next to the export folder, so that the relative path to the run is valid."""
    folder = exported.folder.parent / name
    shutil.copytree(exported.folder, folder)
    return folder


def test_only_the_formats_that_are_asked_for_are_made(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    run = finished_run(tmp_path_factory).folder  # It reads both directions, so it has no stream.
    (artefact,) = export(run, tmp_path / "files", sample=SAMPLE, formats=["stream"])
    assert (artefact.name, artefact.status) == ("stream", "left out")


@pytest.mark.process
def test_every_form_is_made_and_verified(exported: Exported) -> None:
    statuses = {name: a.status for name, a in exported.artefacts.items()}
    statuses.pop("model_full_int8")
    wanted = (
        "saved_model model model_dynamic_int8 model_4 model_mediapipe model_stream onnx runtime web"
    )
    assert statuses == dict.fromkeys([*wanted.split(), "runtime", "web"], "verified")
    version = exported.folder / "saved_model/letters/7"
    assert (version / "saved_model.pb").is_file()
    assert (version / "assets.extra/tf_serving_warmup_requests").is_file()


@pytest.mark.process
def test_a_quantised_file_is_offered_only_if_it_keeps_to_its_bounds(exported: Exported) -> None:
    artefact = exported.artefacts["model_full_int8"]
    offered = (exported.folder / "tflite/model_full_int8.tflite").exists()
    assert offered == (artefact.status == "verified")
    assert offered or artefact.reason


@pytest.mark.process
def test_the_manifest_says_what_a_program_must_know(exported: Exported) -> None:
    content = json.loads((exported.folder / "manifest.json").read_text("utf-8"))
    assert content["labels"] == ["neg", "pos"]
    assert content["tokenizer"]["padding_id"] == 0
    assert content["tokenizer"]["lower_cases"] is True
    assert content["lengths"] == [16, 4]
    assert (exported.folder / content["run"]).resolve() == exported.run.resolve()
    model = next(a for a in content["artefacts"] if a["name"] == "model")
    assert model["form"] == "fused"
    assert model["latency_ms"] > 0
    assert model["size"] == (exported.folder / model["path"]).stat().st_size
    assert {check["name"] for check in model["checks"]} >= {"drift", "same labels", "subgraphs"}


@pytest.mark.process
def test_texts_read_piece_by_piece_are_verified(exported: Exported) -> None:
    for name in ("saved_model", "model_stream"):
        assert exported.artefacts[name].measured("drift piece by piece") < 1e-5


@pytest.mark.process
def test_a_changed_file_is_named(exported: Exported) -> None:
    folder = copied(exported, "changed")
    path = folder / "tflite/model.tflite"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match=r"model\.tflite: changed since it was verified"):
        verify_folder(folder, sample=VerificationSample(exported.texts, exported.targets))


@pytest.mark.process
def test_a_missing_file_is_named(exported: Exported) -> None:
    folder = copied(exported, "missing")
    (folder / "onnx/model.onnx").unlink()
    with pytest.raises(ModelError, match=r"model\.onnx: missing"):
        verify_folder(folder, sample=VerificationSample(exported.texts, exported.targets))


@pytest.mark.process
def test_a_file_with_other_answers_fails_and_stays(exported: Exported) -> None:
    folder = copied(exported, "wrong")
    artefacts, about = manifest.read(folder)
    model = next(a for a in artefacts if a.name == "model_4")
    (run := folder.parent / "other_run").mkdir()
    for file in exported.run.iterdir():
        if file.is_file():
            shutil.copy(file, run)
    manifest.write(folder, [model], about=about)
    right = verify_folder(folder, sample=VerificationSample(exported.texts, exported.targets))
    assert [a.status for a in right] == ["verified"]
    classifier = textrnn.load(exported.run)
    classifier.model.classify.bias.assign_add([0.3, -0.3])
    textrnn.inference.run_folder.save(classifier, run)
    with_digest = {**about, "run": "../other_run"}
    manifest.write(folder, [model], about=with_digest)
    with pytest.raises(ModelError, match="before it was trained again"):
        verify_folder(folder, sample=VerificationSample(exported.texts, exported.targets))
    del with_digest["weights_sha256"]  # As versions before wrote it.
    manifest.write(folder, [model], about=with_digest)
    wrong = verify_folder(folder, sample=VerificationSample(exported.texts, exported.targets))
    assert [a.status for a in wrong] == ["failed"]
    assert (folder / model.path).is_file()


def test_a_folder_without_a_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"manifest\.json"):
        verify_folder(tmp_path, sample=SAMPLE)


def test_a_folder_that_no_runtime_can_open_is_named(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="expected a folder whose path is UTF-8"):
        export(
            finished_run(tmp_path_factory).folder,
            tmp_path / "ex\udcff",
            sample=SAMPLE,
        )
    assert not list(tmp_path.iterdir())


def test_what_a_model_cannot_be_is_said_in_a_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    run = finished_run(tmp_path_factory).folder
    folder = tmp_path_factory.mktemp("bidirectional")
    options = ExportOptions(formats=("stream",))
    (artefact,) = export(run, folder, sample=VerificationSample(["a x"], [1]), options=options)
    assert artefact.status == "left out"
    assert "`bidirectional` must be off" in str(artefact.reason)


def test_the_manifest_keeps_other_formats_of_the_same_model(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, heard = tmp_path / "run", []
    monkeypatch.setattr(type(QUIET), "message", lambda _, text: heard.append(text))
    shutil.copytree(finished_run(tmp_path_factory).folder, run)
    export(run, sample=SAMPLE, formats=["runtime"])
    (made,) = export(run, sample=SAMPLE, formats=["stream"], reporter=QUIET)
    assert made.name == "stream"
    artefacts, about = manifest.read(run / "export")
    assert [artefact.name for artefact in artefacts] == ["stream", "runtime"]
    assert not any("no longer names" in line for line in heard)
    manifest.write(run / "export", artefacts, about={**about, "weights_sha256": "others"})
    export(run, sample=SAMPLE, formats=["stream"], reporter=QUIET)
    assert [artefact.name for artefact in manifest.read(run / "export")[0]] == ["stream"]
    assert any("no longer names runtime" in line for line in heard)


def test_a_form_must_suit_the_cell(tmp_path_factory: pytest.TempPathFactory) -> None:
    run = finished_run(tmp_path_factory).folder
    with pytest.raises(ConfigError, match="fused needs an LSTMCell"):
        export(
            run,
            run / "x",
            sample=SAMPLE,
            options=ExportOptions(form="fused"),
        )
    assert not (run / "x").exists()


@pytest.mark.process
def test_the_labels_and_the_tokenizer_lie_next_to_the_files(exported: Exported) -> None:
    assert (exported.folder / "labels.txt").read_text("utf-8") == "neg\npos\n"
    tokenizer = textrnn.Tokenizer.load(exported.folder / "tokenizer.model")
    assert tokenizer.encode("a x") == textrnn.load(exported.run).tokenizer.encode("a x")
