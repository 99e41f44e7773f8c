"""The folder of the light runtime of a language model."""

import pytest
from light_models import HARD_TEXTS, random_language_pair
from light_processes import forget_network

from textrnn.errors import ModelError
from textrnn.export import manifest
from textrnn.export.language_model import export_language_model, verify_language_model
from textrnn.runtime import load_language_model
from textrnn.runtime.run_folder import has_network


@pytest.fixture
def small_texts(monkeypatch):
    monkeypatch.setattr("textrnn.export.reference.MEGABYTE", 2_000)
    monkeypatch.setattr("textrnn.export.reference.SEVERAL_PARTS", 1_000)


@pytest.mark.process
@pytest.mark.usefixtures("eagerly", "small_texts")
def test_the_folder_is_verified_and_an_older_run_gets_the_file(tmp_path):
    run = tmp_path / "lm"
    pair = random_language_pair(run, cell="mingru", window=2)
    forget_network(run)
    (artefact,) = export_language_model(run)
    assert artefact.status == "verified"
    assert [check.name for check in artefact.checks] == [
        "heavy packages",
        "drift",
        "drift backwards",
    ]
    assert has_network(run)
    (listed,), about = manifest.read(run / "export")
    assert (listed, about["model"], about["directions"]) == (artefact, "language model", 2)
    assert (run / "export" / about["tokenizer"]["file"]).is_file()
    assert set(listed.sha256) == {
        f"runtime/{name}" for name in ("digests.json", "runtime.safetensors", "tokenizer.model")
    }
    expected = [likelihood.log_likelihood for likelihood in pair.model.score(HARD_TEXTS)]
    for folder in (run, run / "export" / "runtime"):
        likelihoods = load_language_model(folder).score(HARD_TEXTS)
        assert [likelihood.log_likelihood for likelihood in likelihoods] == expected


@pytest.mark.process
@pytest.mark.usefixtures("eagerly", "small_texts")
def test_another_model_in_the_folder_fails(tmp_path, monkeypatch):
    random_language_pair(tmp_path / "lm", cell="gru")
    other = random_language_pair(tmp_path / "other", cell="lstm").trained
    monkeypatch.setattr("textrnn.inference.run_folder.load_language_model", lambda run: other)
    content = (tmp_path / "lm" / "runtime.safetensors").read_bytes()
    monkeypatch.setattr("textrnn.export.language_model.language_model_file", lambda model: content)
    (artefact,) = export_language_model(tmp_path / "lm")
    assert artefact.status == "failed"
    assert {check.name for check in artefact.failed_checks} == {
        "drift",
        "drift backwards",
    }


@pytest.mark.process
@pytest.mark.usefixtures("eagerly", "small_texts")
def test_the_folder_is_verified_again_and_a_change_is_found(tmp_path):
    run = tmp_path / "lm"
    random_language_pair(run, cell="gru")
    (artefact,) = export_language_model(run, tmp_path / "files")
    before = (tmp_path / "files" / "manifest.json").read_bytes()
    (again,) = verify_language_model(tmp_path / "files")
    assert (again.status, again.sha256) == ("verified", artefact.sha256)
    assert (tmp_path / "files" / "manifest.json").read_bytes() == before
    with (tmp_path / "files" / "runtime" / "runtime.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="changed since it was verified"):
        verify_language_model(tmp_path / "files")
