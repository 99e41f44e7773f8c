"""The deployment files: what they name exists, and the handler answers events."""

import base64
import importlib.util
import json
import re
import sys
import types
from pathlib import Path

import pytest
import yaml
from letter_model import LetterModel, write_run
from starlette.testclient import TestClient
from tiny import not_none

from textrnn.runtime.serve import ModelSource, errors, predict_call, settings
from textrnn.runtime.serve.app import create_app
from textrnn.runtime.serve.settings import fields_with_section

DEPLOY = Path(__file__).parents[1] / "deploy"
SERVER_FILES = ("Dockerfile", "compose.yaml", "kserve.yaml", "textrnn.service")


@pytest.mark.parametrize("name", SERVER_FILES)
def test_the_options_of_the_server_exist(name):
    code = re.sub(r"(?m)(^| )#.*", "", (DEPLOY / name).read_text(encoding="utf-8"))
    code = "\n".join(line for line in code.splitlines() if not re.match("HEALTH|RUN|COPY", line))
    known = {definition.name.replace("_", "-") for _, definition in fields_with_section()}
    named = set(re.findall(r"--([a-z][a-z-]+)", code))
    assert named
    assert named <= known


@pytest.mark.parametrize("name", ["compose.yaml", "kserve.yaml"])
def test_the_yaml_files_can_be_read(name):
    assert all(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))


@pytest.fixture
def handler(monkeypatch):
    """The handler of serverless platforms, with a model that counts letters."""
    names = types.ModuleType("textrnn_runtime")
    vars(names).update(load=lambda folder: LetterModel(), RuntimeModel=LetterModel)
    monkeypatch.setitem(sys.modules, "textrnn_runtime", names)
    for module in (errors, predict_call, settings):
        name = module.__name__.replace("textrnn.runtime", "textrnn_runtime")
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("TEXTRNN_RUN", "run")
    path = DEPLOY / "lambda_handler.py"
    spec = not_none(importlib.util.spec_from_file_location("lambda_handler", path))
    module = importlib.util.module_from_spec(spec)
    not_none(spec.loader).exec_module(module)
    return lambda event: module.handler(event, None)


@pytest.fixture
def served(tmp_path):
    """A client of a server of the same model."""
    sources = [ModelSource("letters", write_run(tmp_path / "letters"))]
    with TestClient(create_app(sources, lambda folder: LetterModel())) as client:
        yield client


@pytest.mark.parametrize("is_base64", [False, True])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"instances": [{"text": "bb"}, "c", {"b64": "YQ=="}]}', 200),
        ('{"inputs": {"text": ["bb", "c"]}}', 200),
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ('{"instances": []}', 400),
        ('{"instances": [3]}', 400),
        ('{"instances": [{"txt": "a"}]}', 400),
        (json.dumps({"instances": ["a" * 100_001]}), 413),
    ],
)
def test_the_handler_answers_as_the_server_does(handler, served, body, status, is_base64):
    expected = served.post("/v1/models/letters:predict", content=body)
    assert expected.status_code == status
    sent = base64.b64encode(body.encode()).decode() if is_base64 else body
    response = handler({"body": sent, "isBase64Encoded": is_base64})
    assert (response["statusCode"], json.loads(response["body"])) == (status, expected.json())


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({}, 400),
        ({"body": None}, 400),
        ({"body": "?", "isBase64Encoded": True}, 400),
        ({"body": json.dumps({"instances": ["a"] * 257})}, 413),
    ],
)
def test_the_handler_refuses_other_events(handler, event, status):
    response = handler(event)
    assert response["statusCode"] == status
    assert "expected" in json.loads(response["body"])["error"]
