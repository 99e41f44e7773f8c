"""Folders that the light runtime refuses."""

import json

import pytest
from light_models import random_pair

from textrnn.errors import ModelError
from textrnn.runtime import load
from textrnn.runtime.run_folder import has_network


@pytest.fixture
def run(tmp_path):
    random_pair(tmp_path / "run", cell="none")
    return tmp_path / "run"


@pytest.mark.parametrize(
    "name", ["runtime.safetensors", "tokenizer.model", "labels.txt", "decisions.json"]
)
def test_a_missing_or_changed_file_is_named(run, name):
    path = run / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelError, match=f"{name}: changed or cut short"):
        load(run)
    path.unlink()
    with pytest.raises(ModelError, match=f"{name}: missing"):
        load(run)


def test_other_files_of_the_run_need_not_be_there(run):
    for name in ("model.weights.h5", "config.yaml", "metrics.json"):
        (run / name).unlink()
    assert has_network(run)
    assert load(run).labels == ("neg", "pos")


def test_a_folder_that_is_no_finished_run_is_refused(run, tmp_path):
    with pytest.raises(ModelError, match="expected a run folder, found none"):
        load(tmp_path / "nothing")
    assert not has_network(tmp_path / "nothing")
    (run / "digests.json").write_text("{")
    with pytest.raises(ModelError, match="not readable"):
        load(run)
    (run / "digests.json").unlink()
    with pytest.raises(ModelError, match=r"without digests\.json"):
        load(run)
    assert not has_network(run)


def test_another_format_version_is_refused(run):
    record = json.loads((run / "digests.json").read_text())
    (run / "digests.json").write_text(json.dumps({**record, "format_version": 99}))
    with pytest.raises(ModelError, match="expected format version 2, got 99"):
        load(run)
