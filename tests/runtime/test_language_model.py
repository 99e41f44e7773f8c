"""The light runtime computes likelihoods as the TensorFlow model does."""

import json
import threading

import numpy as np
import pytest
from light_models import HARD_TEXTS, LanguagePair, random_language_pair, random_pair

from textrnn.config.choices import CELLS
from textrnn.errors import ConfigError, ModelError
from textrnn.runtime import load, load_language_model
from textrnn.runtime.network import language_network

CLOSE = 1e-5
LONG_TEXT = "dull film, finely played ... " * 400


def assert_same_likelihoods(pair: LanguagePair, texts=HARD_TEXTS) -> None:
    for direction in range(pair.trained.model.directions):
        expected = pair.trained.score(texts, direction=direction)
        actual = pair.model.score(texts, direction=direction)
        for wanted, got in zip(expected, actual, strict=True):
            assert got.pieces == wanted.pieces
            np.testing.assert_allclose(
                got.log_probabilities, wanted.log_probabilities, rtol=CLOSE, atol=CLOSE
            )
            for name in ("log_likelihood", "bits_per_token", "perplexity"):
                assert getattr(got, name) == pytest.approx(getattr(wanted, name), rel=CLOSE)


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "none"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.usefixtures("eagerly")
def test_every_cell_and_direction_computes_as_tensorflow_does(cell, bidirectional, tmp_path):
    settings = {"cell": cell, "bidirectional": bidirectional, "layers": 2, "window": 3}
    assert_same_likelihoods(random_language_pair(tmp_path, **settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"residual": True, "units": 4, "layers": 3},
        {"piece_type": "byte"},
        {"piece_type": "word", "window": 2},
        {"piece_type": "char"},
    ],
)
@pytest.mark.usefixtures("eagerly")
def test_every_stack_and_tokenizer_computes_as_tensorflow_does(settings, tmp_path):
    assert_same_likelihoods(random_language_pair(tmp_path, cell="gru", **settings))


@pytest.mark.parametrize("cell", ["mingru", pytest.param("lstm", marks=pytest.mark.thorough)])
def test_a_long_text_is_read_in_pieces_as_tensorflow_does(cell, tmp_path):
    pair = random_language_pair(tmp_path, cell=cell, layers=2, window=3)
    assert len(pair.model.tokenizer.encode(LONG_TEXT)) > 8 * language_network.PIECE_TOKENS
    assert_same_likelihoods(pair, [LONG_TEXT, "a fine film", LONG_TEXT[:5000]])


def test_the_size_of_the_blocks_changes_nothing(tmp_path, monkeypatch):
    model = random_language_pair(tmp_path, cell="gru", bidirectional=False).model
    expected = model.score([LONG_TEXT[:2000], *HARD_TEXTS])
    monkeypatch.setattr(language_network, "PIECE_TOKENS", 5)
    monkeypatch.setattr(language_network, "BLOCK_ROWS", 3)
    monkeypatch.setattr(language_network, "BLOCK_VOCABULARY", 7)
    for wanted, got in zip(expected, model.score([LONG_TEXT[:2000], *HARD_TEXTS]), strict=True):
        np.testing.assert_allclose(
            got.log_probabilities, wanted.log_probabilities, rtol=0, atol=CLOSE
        )


def test_the_probabilities_of_all_next_tokens_sum_to_one(tmp_path):
    model = random_language_pair(tmp_path, cell="lstm").model
    ids = model.tokenizer.encode("a fine")
    texts = [np.array([*ids, token]) for token in range(1, model.network.vocab_size)]
    next_tokens = [scores[-2] for scores in model.score_ids(texts)]
    end = model.score_ids([np.array(ids)])[0][-1]
    assert np.exp([*next_tokens, end]).sum() == pytest.approx(1.0, abs=1e-5)


def test_texts_are_scored_alike_alone_together_and_in_a_stream(tmp_path):
    model = random_language_pair(tmp_path, cell="lstm", window=2).model
    texts = HARD_TEXTS * 30
    together = model.score(texts)
    alone = [model.score([text])[0] for text in HARD_TEXTS] * 30
    stream = list(model.score_stream(iter(texts)))
    assert [text for text, _ in stream] == texts
    for one, other, (_, streamed) in zip(together, alone, stream, strict=True):
        for likelihood in (other, streamed):
            assert likelihood.pieces == one.pieces
            np.testing.assert_allclose(
                likelihood.log_probabilities, one.log_probabilities, rtol=0, atol=CLOSE
            )


def test_threads_may_share_a_model(tmp_path):
    model = random_language_pair(tmp_path, cell="gru").model
    expected = [likelihood.log_likelihood for likelihood in model.score(HARD_TEXTS)]
    results: list[list[float]] = []

    def score() -> None:
        results.append([likelihood.log_likelihood for likelihood in model.score(HARD_TEXTS)])

    threads = [threading.Thread(target=score) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def test_no_texts_have_no_likelihoods(tmp_path):
    model = random_language_pair(tmp_path).model
    assert model.score([]) == [] == list(model.score_stream([]))


@pytest.mark.parametrize("unusual", [4.25, None])
def test_the_bits_of_unusual_texts_are_known_if_they_were_measured(unusual, tmp_path):
    pair = random_language_pair(tmp_path, unusual=unusual)
    assert pair.model.unusual_bits_per_token == unusual == pair.trained.unusual_bits_per_token


def test_a_direction_that_was_not_trained_is_refused(tmp_path):
    model = random_language_pair(tmp_path, bidirectional=False).model
    with pytest.raises(ConfigError, match="`direction` must be below 1, got 1"):
        model.score(["a"], direction=1)


def test_the_runs_of_the_other_kind_are_refused(tmp_path):
    random_language_pair(tmp_path / "lm")
    random_pair(tmp_path / "run", cell="none")
    with pytest.raises(ModelError, match=r"classifier, got that of a language model; textrnn tra"):
        load(tmp_path / "lm")
    with pytest.raises(ModelError, match=r"language model, got that of a classifier; textrnn pre"):
        load_language_model(tmp_path / "run")
    with pytest.raises(ModelError, match=r"found none; make one by textrnn pretrain"):
        load_language_model(tmp_path / "nowhere")


def test_a_changed_file_is_refused(tmp_path):
    random_language_pair(tmp_path)
    path = tmp_path / "runtime.safetensors"
    assert "runtime.safetensors" in json.loads((tmp_path / "digests.json").read_text())["sha256"]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="changed or cut short since it was written"):
        load_language_model(tmp_path)
