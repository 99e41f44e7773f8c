import pytest
from letter_model import LetterModel


@pytest.mark.parametrize("path", ["/v1/models/letters", "/v1/models/letters/versions/1"])
def test_each_text_has_the_surprise_of_its_words(client, path):
    body = {"instances": ["bb ab", {"text": "c"}]}
    likelihoods = client.post(f"{path}:likelihood", json=body).json()["likelihoods"]
    assert [[word["text"] for word in row["words"]] for row in likelihoods] == [["bb", "ab"], ["c"]]


@pytest.mark.parametrize("body", [{}, {"inputs": ["a"]}, {"instances": [3]}])
def test_a_request_without_texts_is_refused(client, body):
    assert client.post("/v1/models/letters:likelihood", json=body).status_code == 400


def test_a_model_without_a_language_model_says_so(served):
    client = served(LetterModel(language_model=False))
    response = client.post("/v1/models/letters:likelihood", json={"instances": ["a"]})
    assert response.status_code == 400
    assert "expected a language model" in response.json()["error"]


def test_a_long_text_is_refused(served):
    body = {"instances": ["abab"]}
    response = served(max_characters=3).post("/v1/models/letters:likelihood", json=body)
    assert response.status_code == 413
