"""The token ids of many texts in one array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_tokenizers import TEXTS, tokenizer_of

from textrnn.training.batches.token_rows import TokenRows

IDS = st.lists(st.lists(st.integers(0, 2**17), max_size=5), max_size=9).map(
    lambda texts: [np.array(ids, np.int32) for ids in texts]
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path))


@pytest.mark.parametrize("most_in_memory", [0, 2**20])
@pytest.mark.parametrize("texts", [TEXTS, ["", *TEXTS, ""], [""]])
def test_encoded_rows_are_those_of_the_tokenizer(texts, most_in_memory):
    tokenizer, blocks = tokenizer_of("unigram"), list[int]()
    rows = TokenRows.encode(
        texts, tokenizer=tokenizer, on_progress=blocks.append, most_in_memory=most_in_memory
    )
    wanted = tokenizer.encode_batch(texts)
    assert [ids.tolist() for ids in rows] == [ids.tolist() for ids in wanted]
    assert rows.lengths.tolist() == list(map(len, wanted))
    assert rows[-1].dtype == np.int32
    assert sum(blocks) == len(texts)


def test_rows_in_a_file_outlive_the_file(tmp_path):
    rows = TokenRows.encode(TEXTS, tokenizer=tokenizer_of("unigram"), most_in_memory=0)
    assert not list(tmp_path.iterdir())
    assert rows[1].tolist() == tokenizer_of("unigram").encode(TEXTS[1])


@given(IDS)
def test_rows_of_encoded_texts_are_their_ids(texts):
    rows = TokenRows.of(texts)
    assert TokenRows.of(rows) is rows
    assert [ids.tolist() for ids in rows] == [ids.tolist() for ids in texts]
    assert [ids.tolist() for ids in rows[1:4]] == [ids.tolist() for ids in texts[1:4]]


@given(IDS)
def test_content_is_each_length_and_its_ids(texts):
    expected = b"".join(len(ids).to_bytes(8, "little") + ids.tobytes() for ids in texts)
    assert b"".join(TokenRows.of(texts).content()) == expected


def test_blocks_do_not_change_the_content():
    texts = [np.arange(n % 3, dtype=np.int32) for n in range(20_000)]
    expected = b"".join(len(ids).to_bytes(8, "little") + ids.tobytes() for ids in texts)
    assert b"".join(TokenRows.of(texts).content()) == expected


def test_place_outside_of_the_rows_is_an_index_error():
    with pytest.raises(IndexError):
        TokenRows.of([np.zeros(2, np.int32)])[1]
