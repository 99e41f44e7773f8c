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
from letter_model import LetterModel
from tiny import not_none

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
    runtime = types.ModuleType("textrnn_runtime")
    vars(runtime).update(load=lambda folder: LetterModel(), RuntimeModel=LetterModel)
    monkeypatch.setitem(sys.modules, "textrnn_runtime", runtime)
    monkeypatch.setenv("TEXTRNN_RUN", "run")
    path = DEPLOY / "lambda_handler.py"
    spec = not_none(importlib.util.spec_from_file_location("lambda_handler", path))
    module = importlib.util.module_from_spec(spec)
    not_none(spec.loader).exec_module(module)
    return lambda event: module.handler(event, None)


@pytest.mark.parametrize("is_base64", [False, True])
def test_the_handler_answers_an_event(handler, is_base64):
    body = json.dumps({"instances": [{"text": "bb"}, "c"]})
    if is_base64:
        body = base64.b64encode(body.encode()).decode()
    response = handler({"body": body, "isBase64Encoded": is_base64})
    rows = json.loads(response["body"])["predictions"]
    assert (response["statusCode"], [row["label"] for row in rows]) == (200, ["b", "c"])


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"body": None},
        {"body": "{"},
        {"body": "[]"},
        {"body": '{"instances": []}'},
        {"body": '{"instances": [3]}'},
        {"body": '{"instances": [{"txt": "a"}]}'},
        {"body": json.dumps({"instances": ["a"] * 257})},
        {"body": "?", "isBase64Encoded": True},
    ],
)
def test_the_handler_refuses_other_events(handler, event):
    response = handler(event)
    assert response["statusCode"] == 400
    assert "expected" in json.loads(response["body"])["error"]
