import pytest


@pytest.mark.parametrize("path", ["/v1/models/letters", "/v1/models/letters/versions/1"])
def test_each_word_has_its_place_and_its_contribution(client, path):
    answer = client.post(f"{path}:explain", json={"instances": ["bb  ab"]}).json()
    (explanation,) = answer["explanations"]
    assert (explanation["label"], explanation["explained"]) == ("b", "b")
    assert explanation["words"] == [
        {"text": "bb", "start": 0, "end": 2, "contribution": 2.0},
        {"text": "ab", "start": 4, "end": 6, "contribution": 1.0},
    ]


def test_several_texts_are_explained_in_order(client):
    answer = client.post("/v1/models/letters:explain", json={"instances": ["c", {"text": "a"}]})
    assert [row["label"] for row in answer.json()["explanations"]] == ["c", "a"]


@pytest.mark.parametrize("body", [{}, {"inputs": ["a"]}, {"instances": [3]}])
def test_a_request_without_texts_is_refused(client, body):
    assert client.post("/v1/models/letters:explain", json=body).status_code == 400
