import base64

import pytest
from letter_model import LetterModel

PREDICT = "/v1/models/letters:predict"
ROW = {
    "label": "b",
    "score": 0.6,
    "labels": ["a", "b", "c"],
    "scores": [0.2, 0.6, 0.2],
    "decided": [False, True, False],
}


def b64(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


@pytest.mark.parametrize("instance", ["bb", {"text": "bb"}, b64(b"bb"), {"text": b64(b"bb")}])
def test_a_request_by_rows_has_one_answer_per_row(client, instance):
    answer = client.post(PREDICT, json={"instances": [instance, "a"]}).json()
    assert list(answer) == ["predictions"]
    assert answer["predictions"][0] == ROW
    assert answer["predictions"][1]["label"] == "a"


@pytest.mark.parametrize("inputs", [["bb"], {"text": ["bb"]}, {"text": [b64(b"bb")]}])
def test_a_request_by_columns_has_one_list_per_output(client, inputs):
    answer = client.post(PREDICT, json={"inputs": inputs}).json()
    assert answer == {"outputs": {name: [value] for name, value in ROW.items()}}


def test_no_columns_are_answered_with_none(client):
    assert client.post(PREDICT, json={"inputs": []}).json()["outputs"]["label"] == []


def test_the_default_signature_may_be_named(client):
    body = {"signature_name": "serving_default", "instances": ["bb"]}
    assert client.post(PREDICT, json=body).json() == {"predictions": [ROW]}


def test_any_content_type_is_read_as_json(client):
    answer = client.post(PREDICT, content=b'{"instances": ["bb"]}', headers={"content-type": "x/y"})
    assert answer.json() == {"predictions": [ROW]}


def test_a_withheld_answer_has_an_empty_label_and_no_decided_one(served):
    client = served(LetterModel(abstain_below=0.9))
    (row,) = client.post(PREDICT, json={"instances": ["bb"]}).json()["predictions"]
    assert (row["label"], row["score"], row["decided"]) == ("", 0.6, [False, False, False])


def test_a_multi_label_model_decides_for_each_label(served):
    client = served(LetterModel(multi_label=True))
    rows = client.post(PREDICT, json={"instances": ["abb", ""]}).json()["predictions"]
    assert rows[0]["decided"] == [True, True, False]
    # As in the graph of the SavedModel: the nearest label, which is not decided.
    assert (rows[1]["label"], rows[1]["decided"]) == ("a", [False, False, False])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "expected a JSON object"),
        ({}, "either `instances` or `inputs`"),
        ({"instances": ["a"], "inputs": ["a"]}, "either `instances` or `inputs`"),
        ({"instances": []}, "at least one text"),
        ({"instances": "a"}, "at least one text"),
        ({"instances": ["a", 3]}, "instances[1]: expected a string"),
        ({"instances": [{"words": "a"}]}, "instances[0]: expected the input `text` alone"),
        ({"instances": [{"text": ["a"]}]}, "instances[0]: expected a string"),
        ({"instances": [{"b64": "?"}]}, "base64"),
        ({"inputs": "a"}, "expected a list of texts"),
        ({"inputs": {"text": "a"}}, "expected a list of texts"),
        ({"inputs": {"text": ["a"], "more": []}}, "expected the input `text` alone"),
        ({"instances": ["a"], "signature_name": "ids"}, "not found in signature def"),
        ({"instances": ["a"], "signature_name": 3}, "not found in signature def"),
    ],
)
def test_a_request_that_is_not_understood_says_why(client, body, message):
    response = client.post(PREDICT, json=body)
    assert response.status_code == 400
    assert list(response.json()) == ["error"]
    assert message in response.json()["error"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"instances": [' + b"9" * 5000 + b"]}"]
)
def test_a_body_that_is_no_json_is_refused(client, body):
    response = client.post(PREDICT, content=body)
    assert (response.status_code, list(response.json())) == (400, ["error"])


def test_half_a_surrogate_pair_is_read_as_a_replacement_character(served):
    model = LetterModel()
    response = served(model).post(PREDICT, content=rb'{"instances": ["b\ud83d"]}')
    assert response.status_code == 200
    assert model.batches == [["b\ufffd"]]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/v1/models/other:predict", 404, "Servable not found for request: Latest(other)"),
        (
            "/v1/models/letters/versions/7:predict",
            404,
            "Servable not found for request: Specific(letters, 7)",
        ),
        (f"/v1/models/letters/versions/{'9' * 5000}:predict", 404, "Servable not found"),
        ("/v1/models/letters:classify", 400, "method_name to be tensorflow/serving/classify"),
        ("/v1/models/letters:regress", 400, "method_name to be tensorflow/serving/regress"),
    ],
)
def test_what_is_not_served_is_an_error(client, path, status, message):
    response = client.post(path, json={"instances": ["a"]})
    assert response.status_code == status
    assert message in response.json()["error"]


def test_a_version_is_asked_by_its_number(client):
    path = "/v1/models/letters/versions/1:predict"
    assert client.post(path, json={"instances": ["bb"]}).json() == {"predictions": [ROW]}


def test_the_status_lists_the_versions(client):
    row = {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    for path in ("/v1/models/letters", "/v1/models/letters/versions/1"):
        assert client.get(path).json() == {"model_version_status": [row]}
    assert client.get("/v1/models").json() == {"models": ["letters"]}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/models/other", 404),
        ("/v1/models/letters/versions/2", 404),
        ("/v1/models/other/metadata", 404),
        ("/v1/models/letters:predict", 405),
        ("/v1/models/letters/", 404),
    ],
)
def test_a_wrong_path_is_an_error_in_json(client, path, status):
    response = client.get(path, follow_redirects=False)
    assert (response.status_code, list(response.json())) == (status, ["error"])


def test_the_metadata_name_the_inputs_and_outputs_of_the_saved_model(client):
    answer = client.get("/v1/models/letters/metadata").json()
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert list(signature["inputs"]) == ["text"]
    assert list(signature["outputs"]) == list(ROW)
    sizes = [dim["size"] for dim in signature["outputs"]["scores"]["tensor_shape"]["dim"]]
    assert sizes == ["-1", "3"]
