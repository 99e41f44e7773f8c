"""The folder of the light runtime."""

import json

import pytest
from light_models import HARD_TEXTS, random_pair

from textrnn.export.run import export, verify_folder
from textrnn.export.sample import VerificationSample
from textrnn.runtime import load
from textrnn.runtime.run_folder import has_network

SAMPLE = VerificationSample(HARD_TEXTS[2:6], [-1] * 4)


@pytest.mark.process
@pytest.mark.usefixtures("eagerly")
def test_the_folder_is_verified_and_an_older_run_gets_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("textrnn.export.reference.MEGABYTE", 2_000)
    monkeypatch.setattr("textrnn.export.reference.SEVERAL_PARTS", 1_000)
    run = tmp_path / "run"
    pair = random_pair(run, cell="mingru", max_length=20)
    record = json.loads((run / "digests.json").read_text())
    del record["sha256"]["runtime.safetensors"]
    (run / "digests.json").write_text(json.dumps(record))
    assert not has_network(run)
    (artefact,) = export(run, tmp_path / "export", formats="runtime", sample=SAMPLE)
    assert artefact.status == "verified"
    assert artefact.measured("heavy packages") == []
    assert has_network(run)
    expected = pair.model.answers(HARD_TEXTS)
    assert load(run).answers(HARD_TEXTS) == expected
    assert load(tmp_path / "export" / "runtime").answers(HARD_TEXTS) == expected
    (again,) = verify_folder(tmp_path / "export", sample=SAMPLE)
    assert again.status == "verified"
