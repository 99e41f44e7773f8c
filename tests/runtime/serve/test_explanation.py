import pytest


@pytest.mark.parametrize("path", ["/v1/models/letters", "/v1/models/letters/versions/1"])
def test_each_word_has_its_score(client, path):
    answer = client.post(f"{path}:explain", json={"instances": ["bb  ab"]}).json()
    (explanation,) = answer["explanations"]
    words = [{"text": "bb", "score": 2}, {"text": "ab", "score": 1}]
    assert explanation == {"label": "b", "words": words}


def test_several_texts_are_explained_in_order(client):
    answer = client.post("/v1/models/letters:explain", json={"instances": ["c", {"text": "a"}]})
    assert [row["label"] for row in answer.json()["explanations"]] == ["c", "a"]


@pytest.mark.parametrize("body", [{}, {"inputs": ["a"]}, {"instances": [3]}])
def test_a_request_without_texts_is_refused(client, body):
    assert client.post("/v1/models/letters:explain", json=body).status_code == 400


def test_a_model_that_has_no_explanations_says_why(client):
    response = client.post("/v1/models/letters:explain", json={"instances": ["unexplained"]})
    assert response.status_code == 400
    assert "head" in response.json()["error"]
