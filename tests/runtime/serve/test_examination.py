import pytest


@pytest.mark.parametrize("path", ["/v1/models/letters", "/v1/models/letters/versions/1"])
def test_the_answer_to_a_text_is_examined(client, path):
    examined = client.post(f"{path}:examine", json={"text": "bb ab"}).json()
    assert examined["label"] == "b"
    assert [word["text"] for word in examined["words"]] == ["bb", "ab"]


def test_another_label_may_be_asked_for(client):
    body = {"text": "bb ab", "label": "a"}
    assert client.post("/v1/models/letters:examine", json=body).json()["label"] == "a"


@pytest.mark.parametrize(
    "body", [{}, {"text": 3}, {"text": "a", "label": "x"}, {"text": "a", "b": 1}]
)
def test_other_requests_are_refused(client, body):
    response = client.post("/v1/models/letters:examine", json=body)
    assert response.status_code == 400
    assert "expected" in response.json()["error"]


def test_a_long_text_is_refused(served):
    client = served(max_characters=3)
    response = client.post("/v1/models/letters:examine", json={"text": "abab"})
    assert response.status_code == 413
