"""The manifest of an export folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from textrnn.errors import ModelError
from textrnn.export import manifest
from textrnn.export.manifest import Artefact, Check

PASSED = Check("drift", 0.0, "at most 1e-05", passed=True)
FAILED = Check("drift", 1.0, "at most 1e-05", passed=False)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    artefacts = [
        Artefact("model", "tflite", "tflite/model.tflite", length=16, checks=(PASSED,)),
        Artefact("onnx", "onnx", "onnx/model.onnx").left_out("needs tf2onnx"),
    ]
    manifest.write(tmp_path, artefacts, about={"labels": ["a", "b"]})
    assert manifest.read(tmp_path) == (artefacts, {"labels": ["a", "b"]})


def test_the_format_is_the_kind_of_an_entry() -> None:
    entry = Artefact("model", "tflite", "tflite/model.tflite").to_dict()
    assert list(entry)[:3] == ["name", "kind", "path"]
    assert entry["kind"] == "tflite"
    assert "format" not in entry
    json.dumps(entry)


@pytest.mark.parametrize(
    ("checks", "reason", "status"),
    [
        ((PASSED,), None, "verified"),
        ((PASSED, FAILED), None, "failed"),
        ((), None, "failed"),
        ((FAILED,), "drift 1", "left out"),
    ],
)
def test_the_status_follows_from_the_checks(
    checks: tuple[Check, ...], reason: str | None, status: str
) -> None:
    artefact = Artefact("model", "tflite", "model.tflite", checks=checks, reason=reason)
    assert artefact.status == status
    assert artefact.measured("other") is None
    assert artefact.failed_checks == tuple(check for check in checks if check is FAILED)


def test_the_error_of_a_converter_is_the_reason() -> None:
    artefact = Artefact("model", "tflite", "model.tflite")
    assert artefact.made_by({"bytes": 3}) == artefact
    failed = artefact.made_by({"error": "ValueError: no"})
    assert (failed.path, failed.reason) == ("", "not made: ValueError: no")


def test_each_file_of_a_folder_has_a_digest(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/one").write_bytes(b"1")
    (tmp_path / "a/b/two").write_bytes(b"2")
    digests = manifest.digests(tmp_path / "a", base=tmp_path)
    assert list(digests) == ["a/b/two", "a/one"]
    assert manifest.digests(tmp_path / "a/one", base=tmp_path) == {"a/one": digests["a/one"]}


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"manifest\.json: expected the manifest of an export"):
        manifest.read(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", '{"format_version": 1}'])
def test_a_broken_manifest_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match="got a file that is not readable as one"):
        manifest.read(tmp_path)


def test_the_way_to_a_run_may_be_no_unicode(tmp_path: Path) -> None:
    manifest.write(tmp_path, [], about={"run": "../rev\udcff", "labels": ["größe"]})
    _, about = manifest.read(tmp_path)
    assert about["run"] == "../rev\udcff"
    assert "größe" in (tmp_path / "manifest.json").read_text(encoding="utf-8")


def test_a_manifest_of_another_format_is_refused(tmp_path: Path) -> None:
    manifest.write(tmp_path, [], about={})
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text("utf-8").replace('_version": 1', '_version": 9'), "utf-8")
    with pytest.raises(ModelError, match="expected format version 1, got 9"):
        manifest.read(tmp_path)
