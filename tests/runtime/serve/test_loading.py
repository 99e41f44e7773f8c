"""Which language model a served model has."""

import json
import pickle
from pathlib import Path

import pytest
from light_models import random_language_pair, random_pair
from starlette.testclient import TestClient

from textrnn.errors import ModelError
from textrnn.inference.run_files import replace_file
from textrnn.runtime.serve import ModelSource
from textrnn.runtime.serve.app import create_app
from textrnn.runtime.serve.loading import ModelLoader

TEXT = "A fine film, and dull."


@pytest.fixture
def run(tmp_path):
    """A run that says that it started from the language model `lm` beside it."""
    random_language_pair(tmp_path / "lm", cell="gru")
    random_pair(tmp_path / "run", cell="mingru")
    start = {"run": "lm", "folder": str(tmp_path / "lm"), "kind": "language_model"}
    replace_file(tmp_path / "run", "metrics.json", json.dumps({"start": start}))
    return tmp_path / "run"


def client_of(*runs: Path, loader: ModelLoader) -> TestClient:
    return TestClient(create_app([ModelSource(run.name, run) for run in runs], loader))


def test_a_run_has_the_language_model_that_it_started_from(run, tmp_path):
    loader = pickle.loads(pickle.dumps(ModelLoader()))
    client = client_of(run, loader=loader)
    expected = loader(run).surprise(TEXT).to_dict()
    body = {"instances": [TEXT]}
    (found,) = client.post("/v1/models/run:likelihood", json=body).json()["likelihoods"]
    assert found == expected
    examined = client.post("/v1/models/run:examine", json={"text": TEXT}).json()
    assert examined["likelihood"] == found
    assert [word["word"] for word in found["words"]] == [
        "A",
        "fine",
        "film",
        ",",
        "and",
        "dull",
        ".",
    ]


def test_a_language_model_that_is_gone_is_no_error(run, tmp_path, caplog):
    (tmp_path / "lm" / "digests.json").unlink()
    with caplog.at_level("INFO", logger="textrnn.serve"):
        client = client_of(run, loader=ModelLoader())
    assert "no likelihoods: " in caplog.text
    assert client.post("/v1/models/run:examine", json={"text": TEXT}).json()["likelihood"] is None
    refused = client.post("/v1/models/run:likelihood", json={"instances": [TEXT]})
    assert refused.status_code == 400
    assert "expected a language model beside the classifier" in refused.json()["error"]


def test_the_language_model_that_is_named_is_that_of_all_runs_and_is_loaded_once(run, tmp_path):
    random_pair(tmp_path / "second", cell="none")
    random_language_pair(tmp_path / "other", cell="lstm")
    loader = ModelLoader(tmp_path / "other")
    first, second = loader(run), loader(tmp_path / "second")
    assert first.language_model is not None
    assert first.language_model is second.language_model
    assert first.language_model.architecture.cell == "lstm"
    with pytest.raises(ModelError, match="expected a run folder, found none"):
        ModelLoader(tmp_path / "nowhere")(run)


def test_a_run_that_started_from_nothing_has_no_language_model(tmp_path):
    random_pair(tmp_path, cell="none")
    assert ModelLoader()(tmp_path).language_model is None
