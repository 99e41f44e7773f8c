import itertools

import pytest
import sentencepiece

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.runtime.text.sentencepiece_proto import is_whole_model, proto_fields, round_scores
from textrnn.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def model() -> bytes:
    texts = ["the film was great", "the play was bad"] * 20
    return Tokenizer.train(texts, TokenizerConfig(vocab_size=30), cache=False).to_bytes()


def test_the_fields_follow_each_other_to_the_end(model):
    fields = list(proto_fields(model))
    assert [field for field, _, _ in fields][-2:] == [2, 3]
    assert all(end < start for (_, _, end), (_, start, _) in itertools.pairwise(fields))
    assert fields[-1][2] == len(model)


def test_there_is_a_field_for_each_piece(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    fields = [field for field, _, _ in proto_fields(model)]
    assert fields.count(1) == processor.vocab_size()


def test_lengths_of_several_bytes_are_read():
    content = b"x" * 300
    assert list(proto_fields(b"\x12\xac\x02" + content)) == [(2, 3, 303)]


def test_a_model_is_whole_with_its_last_byte_only(model):
    assert is_whole_model(model)
    assert not any(is_whole_model(model[:-cut]) for cut in range(1, 60))
    assert not is_whole_model(b"")


def test_scores_become_multiples_of_a_64th():
    piece = b"\x0a\x01a\x15" + b"\xcd\xcc\xcc\x3d"  # 0.1, in little-endian float32.
    rounded = round_scores(bytes([0x0A, len(piece)]) + piece)
    assert rounded[-4:] == b"\x00\x00\xc0\x3d", "6 / 64"


def test_rounding_twice_changes_nothing(model):
    assert round_scores(model) == model
