import json
import struct

import numpy as np
import pytest

INFER = "/v2/models/letters/infer"


def tensor(*texts, **changes):
    return {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts, **changes}


def outputs(response):
    return {output["name"]: output for output in response.json()["outputs"]}


def test_the_server_describes_itself(client):
    assert client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}


@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_a_model_describes_itself(client, version):
    described = client.get(f"/v2/models/letters{version}").json()
    assert (described["name"], described["versions"]) == ("letters", ["1"])
    assert described["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert {"name": "scores", "datatype": "FP32", "shape": [-1, 3]} in described["outputs"]
    assert client.get(f"/v2/models/letters{version}/ready").status_code == 200


@pytest.mark.parametrize(
    "path", ["/v2/models/x", "/v2/models/x/ready", "/v2/models/letters/versions/2"]
)
def test_an_unknown_model_or_version_is_not_found(client, path):
    response = client.get(path)
    assert (response.status_code, list(response.json())) == (404, ["error"])


def test_texts_are_answered_in_tensors(client):
    answer = client.post(INFER, json={"id": "7", "inputs": [tensor("bb", "c")]})
    assert (answer.json()["id"], answer.json()["model_version"]) == ("7", "1")
    found = outputs(answer)
    assert found["label"] == {
        "name": "label",
        "datatype": "BYTES",
        "shape": [2],
        "data": ["b", "c"],
    }
    assert found["scores"]["shape"] == [2, 3]
    np.testing.assert_allclose(found["scores"]["data"], [0.2, 0.6, 0.2, 0.25, 0.25, 0.5], rtol=1e-6)
    assert found["decided"]["data"] == [False, True, False, False, False, True]
    assert found["labels"]["data"] == ["a", "b", "c"] * 2


def test_only_the_wanted_outputs_are_returned(client):
    body = {"inputs": [tensor("bb")], "outputs": [{"name": "score"}]}
    assert list(outputs(client.post(INFER, json=body))) == ["score"]


def test_a_column_of_texts_is_read_too(client):
    body = {"inputs": [tensor(["bb"], ["c"], shape=[2, 1])]}
    assert outputs(client.post(INFER, json=body))["label"]["data"] == ["b", "c"]


def binary(texts, *, header=None, **changes):
    data = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    described = tensor(*texts, parameters={"binary_data_size": len(data)}, **changes)
    del described["data"]
    wanted = {"inputs": [described], "parameters": {"binary_data_output": True}}
    head = json.dumps(wanted).encode()
    size = str(len(head)) if header is None else header
    return {"content": head + data, "headers": {"Inference-Header-Content-Length": size}}


def test_tensors_are_sent_and_returned_as_bytes(client):
    response = client.post(INFER, **binary([b"bb", b"c\xff"]))
    size = int(response.headers["Inference-Header-Content-Length"])
    described = {o["name"]: o for o in json.loads(response.content[:size])["outputs"]}
    data, parts = response.content[size:], {}
    for name, output in described.items():
        length = output["parameters"]["binary_data_size"]
        parts[name], data = data[:length], data[length:]
    assert data == b""
    assert parts["label"] == b"\x01\0\0\0b\x01\0\0\0c"
    assert np.frombuffer(parts["decided"], bool).tolist() == [
        False,
        True,
        False,
        False,
        False,
        True,
    ]
    np.testing.assert_allclose(np.frombuffer(parts["score"], "<f4"), [0.6, 0.5], rtol=1e-6)


@pytest.mark.parametrize(
    "request_",
    [
        binary([b"a"], header="x"),
        binary([b"a"], header="100000"),
        binary([b"a"], header="0"),
        binary([b"a"], shape=[2]),
        {"content": binary([b"a"])["content"]},
        {"content": binary([b"a"])["content"][:-1], "headers": binary([b"a"])["headers"]},
        {"json": {"inputs": [tensor("a", parameters={"binary_data_size": 3})]}},
        {"json": {"inputs": [tensor("a", parameters={"binary_data_size": True})]}},
    ],
)
def test_bytes_that_do_not_fit_are_refused(client, request_):
    response = client.post(INFER, **request_)
    assert (response.status_code, list(response.json())) == (400, ["error"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "`inputs`: expected"),
        ({"inputs": [tensor("a"), tensor("b")]}, "`inputs`: expected"),
        ({"inputs": [3]}, "`inputs`: expected"),
        ({"inputs": [tensor("a", name="x")]}, "expected a tensor named `text`"),
        ({"inputs": [tensor("a", datatype="FP32")]}, "of the datatype BYTES"),
        ({"inputs": [tensor("a", shape=[2])]}, "`shape`: expected [1]"),
        ({"inputs": [tensor("a", shape=[True])]}, "`shape`: expected [1]"),
        ({"inputs": [tensor("a", shape=None)]}, "`shape`: expected [1]"),
        ({"inputs": [tensor(3)]}, "data[0]: expected a string"),
        ({"inputs": [tensor("a", data="a")]}, "`data`: expected a list"),
        ({"inputs": [tensor("a", parameters=[])]}, "`parameters`: expected"),
        ({"inputs": [tensor("a")], "outputs": [{"name": "x"}]}, "`outputs`: expected names"),
        ({"inputs": [tensor("a")], "outputs": [{"name": ["label"]}]}, "`outputs`: expected names"),
        ({"inputs": [tensor("a")], "outputs": {}}, "`outputs`: expected a list"),
    ],
)
def test_a_request_that_is_not_understood_says_why(client, body, message):
    response = client.post(INFER, json=body)
    assert response.status_code == 400
    assert message in response.json()["error"]
