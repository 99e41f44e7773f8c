"""`textrnn export`."""

import json

from textrnn.export.formats import requirements


def test_exports_and_verifies_again(textrnn, finished, home, monkeypatch):
    find_spec = requirements.find_spec
    monkeypatch.setattr(
        requirements,
        "find_spec",
        lambda name: None if name == "ai_edge_quantizer" else find_spec(name),
    )
    settings = ("--kind", "tflite", "--length", 8, "--texts", 4)
    precisions = ("--precision", "float32", "--precision", "int4")
    result = textrnn("export", finished.folder, "--output", home / "export", *settings, *precisions)
    assert "verified" in result.stdout
    assert "left out: model_int4: needs ai-edge-quantizer: pip install 'textrnn[int4]'" in (
        result.stdout
    )
    path = home / "export/tflite/model.tflite"
    assert path.is_file()
    again = textrnn("export", "--verify-only", home / "export", "--texts", 4, "--json")
    artefact, left_out = json.loads(again.stdout)
    assert artefact["status"] == "verified"
    assert left_out["status"] == "left out"
    path.write_bytes(b"")
    changed = textrnn("export", "--verify-only", home / "export", "--texts", 4, code=1)
    assert "changed since it was verified" in changed.stderr


def test_needs_a_run_or_an_export_folder(textrnn, finished, home):
    assert "either RUN" in textrnn("export", code=2).stderr
    assert "either RUN" in textrnn("export", finished.folder, "--verify-only", home, code=2).stderr


def test_a_folder_that_is_no_run_is_named(textrnn, home):
    assert "none" in textrnn("export", home / "none", code=1).stderr


def test_a_form_that_does_not_suit_is_refused(textrnn, finished, home):
    result = textrnn("export", finished.folder, "--form", "fused", "--output", home / "x", code=1)
    assert "fused needs an LSTMCell" in result.stderr
    assert not (home / "x").exists()
