"""A tokenizer learns its pieces from texts, and refuses texts that have too few."""

import subprocess
import sys
from pathlib import Path

import pytest
import sentencepiece
from tiny_tokenizers import TEXTS, train

from textrnn.config.choices import PIECE_TYPES
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, DataError
from textrnn.text.normalization import normalizer
from textrnn.text.tokenizer import Tokenizer


def test_padding_and_unknown_come_first(tokenizer):
    assert [tokenizer.id_to_piece(id) for id in (Tokenizer.PAD, Tokenizer.UNK)] == [
        "<pad>",
        "<unk>",
    ]
    special = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.to_bytes())
    assert (special.bos_id(), special.eos_id()) == (-1, -1)


@pytest.mark.parametrize("piece_type", PIECE_TYPES)
@pytest.mark.parametrize(
    "texts", [["a"], ["ab ab"], ["one two"] * 3, ["x\0y"], ["我们喜欢"], ["▅ x"]]
)
def test_a_small_corpus_gives_fewer_pieces(piece_type, texts):
    tokenizer = train(texts, piece_type=piece_type)
    assert tokenizer.vocab_size < 300
    if piece_type == "word" and "\0" in texts[0]:  # The trainer reads no further than U+0000.
        return
    assert Tokenizer.UNK not in tokenizer.encode(texts[0].replace("▅", "").replace("\0", ""))


@pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char"])
def test_the_vocabulary_size_is_an_upper_bound(piece_type):
    assert train(piece_type=piece_type, vocab_size=35).vocab_size <= 35


def test_byte_pieces_are_the_256_bytes():
    tokenizer = train([], piece_type="byte")
    assert tokenizer.vocab_size == 258
    assert tokenizer.encode("aé") == [2 + byte for byte in "aé".encode()]
    assert tokenizer.pieces("a b") == ["<0x61>", "<0x20>", "<0x62>"]


# Normalization


@pytest.mark.parametrize("piece_type", PIECE_TYPES)
def test_plain_rules_suit_every_piece_type(piece_type, tmp_path):
    tokenizer = train(piece_type=piece_type, normalization="plain", vocab_size=300)
    ids = tokenizer.encode("A FINE\tfilm<BR/>\u3000\x07 ")
    assert ids == tokenizer.encode("a fine film")
    assert tokenizer.decode(ids) == "a fine film"
    tokenizer.save(tmp_path / "tokenizer.model")
    assert Tokenizer.load(tmp_path / "tokenizer.model").encode("a fine film") == ids


def test_plain_bytes_are_those_of_the_text():
    tokenizer = train([], piece_type="byte", normalization="plain")
    assert tokenizer.encode(" É\0ﬁ\ufffd") == [2 + byte for byte in "É\0ﬁ".encode()]


def test_a_config_without_a_normalization_is_of_the_default():
    assert TokenizerConfig.from_dict({"piece_type": "bpe"}).normalization == "nfkc"
    assert train().to_bytes() == train(normalization="nfkc").to_bytes()


@pytest.mark.parametrize("piece_type", ["unigram", "bpe"])
def test_too_small_a_vocabulary_says_how_many_pieces_are_needed(piece_type):
    with pytest.raises(ConfigError, match=r"`vocab_size` .* at least \d+ .*, got 8; ") as info:
        train(piece_type=piece_type, vocab_size=8)
    assert ".cc" not in str(info.value)
    needed = int(str(info.value).split("at least ")[1].split()[0])
    assert train(piece_type=piece_type, vocab_size=needed).vocab_size <= needed


def test_byte_pieces_need_room():
    with pytest.raises(ConfigError, match="at least 258 for byte pieces, got 257"):
        train(piece_type="byte", vocab_size=257)


@pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char", "word"])
@pytest.mark.parametrize("texts", [[], [""], [" \n", "<br />"], ["\x01\u200b"], ["▅"]])
def test_texts_without_a_character_are_an_error(piece_type, texts):
    with pytest.raises(DataError, match=f"got {len(texts)} without a character"):
        train(texts, piece_type=piece_type)


def test_another_failure_of_the_trainer_is_reported_without_its_source_lines(monkeypatch):
    def fail(**arguments):
        raise RuntimeError("INTERNAL: src/some.cc(1) [x > 0]")

    monkeypatch.setattr(sentencepiece.SentencePieceTrainer, "train", fail)
    with pytest.raises(DataError, match="to learn unigram pieces from, got") as info:
        train()
    assert ".cc" not in str(info.value)


@pytest.mark.parametrize("piece_type", PIECE_TYPES)
def test_training_twice_gives_the_same_bytes(piece_type):
    texts = [f"{text} {i}" for i in range(20) for text in TEXTS]
    first, second = (
        train(texts, piece_type=piece_type, vocab_size=300, sample_chars=1000, seed=3)
        for _ in range(2)
    )
    assert first.to_bytes() == second.to_bytes()


def test_the_seed_chooses_the_sample():
    texts = [letter * 9 for letter in "abcdefghijklmnop"]
    models = {train(texts, sample_chars=27, seed=seed).to_bytes() for seed in range(4)}
    assert len(models) > 1


def test_no_more_characters_than_the_sample_are_read():
    steps: list[str] = []
    tokenizer = train(
        ["ab", "cdefgh" * 10], piece_type="char", sample_chars=2, progress=steps.append
    )
    assert steps == ["training the tokenizer on 2 characters"]
    assert tokenizer.vocab_size == 2 + 3  # The two characters, and the space.


def test_a_long_text_is_learned_from():
    unbroken = "z" * 100_000
    words = "marvellous tale<br />" * 5000
    tokenizer = train([unbroken, words], vocab_size=60)
    assert tokenizer.pieces("Marvellous") == ["▁marvellous"]
    assert "<" not in "".join(map(tokenizer.id_to_piece, range(2, tokenizer.vocab_size)))
    assert Tokenizer.UNK not in tokenizer.encode("zz")


def test_rare_characters_are_known():
    tokenizer = train(["plain words " * 400 + "$"], vocab_size=100)
    assert Tokenizer.UNK not in tokenizer.encode("$")


def test_scores_add_up_exactly_in_any_order(tokenizer):
    model = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.to_bytes())
    scores = [model.get_score(id) * 64 for id in range(tokenizer.vocab_size)]
    assert all(score.is_integer() for score in scores)


@pytest.mark.thorough
def test_training_prints_nothing(capfd):
    normalizer.cache_clear()
    train()
    with pytest.raises(ConfigError):
        train(vocab_size=8)
    assert capfd.readouterr() == ("", "")


def test_tensorflow_is_not_imported():
    code = "import sys, textrnn.text.tokenizer; sys.exit('tensorflow' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
