import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from textrnn.config.choices import NORMALIZATIONS, PIECE_TYPES
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.text.normalization import normalizer
from textrnn.text.tokenizer import Tokenizer

TEXTS = [
    "A fine film, and finely played.",
    "The plot is thin;<br /><br />the players are not.",
    "Dull, dull, dull... I left early!!!!!",
    "Ein schöner Film, ein großes Spiel.",
]
TEXT = st.text(st.characters(codec=None), max_size=60)  # Lone surrogates and NUL among them.


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tokenizers"


def train(texts=TEXTS, *, seed=0, cache=False, progress=None, **settings: Any) -> Tokenizer:
    config = TokenizerConfig(**settings)
    return Tokenizer.train(texts, config, seed=seed, cache=cache, progress=progress)


@pytest.fixture(scope="module", params=PIECE_TYPES)
def tokenizer(request) -> Tokenizer:
    return train(piece_type=request.param, vocab_size=300)


# Training


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


# Words


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_the_most_frequent_words_are_pieces_and_a_run_of_others_is_one_unknown(normalization):
    texts = ["the film, the FILM; the plot", "the film."]
    tokenizer = train(texts, piece_type="word", normalization=normalization, vocab_size=8)
    assert [tokenizer.id_to_piece(id) for id in (2, 3)] == ["▁the", "▁film"]
    assert tokenizer.vocab_size <= 8
    assert tokenizer.encode("zz yy The zz\nFilm") == [1, 2, 1, 3]
    assert tokenizer.pieces("the film.") == ["▁the", "▁film", "▁."]
    assert tokenizer.decode(tokenizer.encode("THE film.")) == "the film ."


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_words_outside_the_vocabulary_are_rare_ones(normalization):
    texts = [f"common{i} " * (30 - i) for i in range(30)]
    tokenizer = train(texts, piece_type="word", normalization=normalization, vocab_size=12)
    assert tokenizer.vocab_size == 12
    assert [tokenizer.id_to_piece(id) for id in range(2, 12)] == [f"▁common{i}" for i in range(10)]


@pytest.mark.parametrize("word", ["zz", "\ue001"])
def test_unknown_words_of_a_long_text_are_one_run_whatever_words_are_known(word):
    tokenizer = train(["a film \ue000"], piece_type="word")
    assert not tokenizer.words_apart
    (film,) = tokenizer.encode("film")
    assert tokenizer.encode(f"{word} " * 30_000 + "film") == [Tokenizer.UNK, film]


@pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char"])
def test_other_pieces_know_each_word_by_itself(piece_type):
    assert train(piece_type=piece_type).words_apart


def test_long_words_have_exact_scores():
    tokenizer = train(["a a a", "b" * 130, "c" * 400], piece_type="word")
    model = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.to_bytes())
    assert all((model.get_score(id) * 64).is_integer() for id in range(tokenizer.vocab_size))
    assert tokenizer.pieces("b" * 130) == ["▁" + "b" * 130]


# Plain normalisation


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


# Encoding and decoding


@pytest.mark.parametrize("text", ["", " ", "\n\t", "<br />", chr(0xD800), "\ufffd", "\u200b"])
def test_a_text_without_characters_has_no_ids(tokenizer, text):
    assert tokenizer.encode(text) == []


def test_normalisation_is_part_of_the_model(tokenizer):
    assert tokenizer.encode("FINE<BR/>Film") == tokenizer.encode("fine film")
    assert tokenizer.encode(" fine\n\nfilm ") == tokenizer.encode("fine film")


def test_case_is_kept_where_wished():
    tokenizer = train(lowercase=False)
    assert tokenizer.encode("A") != tokenizer.encode("a")
    assert tokenizer.decode(tokenizer.encode("A fine<br />Film")) == "A fine Film"


def test_a_lone_surrogate_is_a_replacement_character(tokenizer):
    assert tokenizer.encode("fine\ud83dfilm") == tokenizer.encode("fine\ufffdfilm")


def test_special_pieces_cannot_be_written_in_a_text(tokenizer):
    assert tokenizer.pieces("<pad><unk><s>")[0] != "<pad>"
    assert Tokenizer.PAD not in tokenizer.encode("<pad> <unk> <s>")


def test_a_very_long_text_is_encoded_whole(tokenizer):
    words = 20_000
    ids = tokenizer.encode("film " * words)
    assert tokenizer.decode(ids) == " ".join(["film"] * words)
    assert len(tokenizer.encode("x" * 100_000)) >= 1


@given(text=TEXT)
@settings(max_examples=50, deadline=None)
def test_every_text_has_ids_in_range_and_none_is_padding(tokenizer, text):
    ids = tokenizer.encode(text)
    assert all(0 < id < tokenizer.vocab_size for id in ids)
    assert len(tokenizer.pieces(text)) == len(ids)


@given(texts=st.lists(TEXT, max_size=8), num_threads=st.sampled_from([None, 1, 2, 5]))
@settings(max_examples=30, deadline=None)
def test_a_batch_gives_the_ids_of_each_text_alone(tokenizer, texts, num_threads):
    batch = tokenizer.encode_batch(texts, num_threads=num_threads)
    assert [ids.tolist() for ids in batch] == [tokenizer.encode(text) for text in texts]


@given(text=TEXT)
@settings(max_examples=50, deadline=None)
def test_bytes_hold_every_normalised_text(byte_tokenizer, text):
    normalised = normalizer(lowercase=True, word_prefix=False).normalize(
        "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    )
    assert byte_tokenizer.decode(byte_tokenizer.encode(text)) == normalised.replace("▁", " ")


@pytest.fixture(scope="module")
def byte_tokenizer() -> Tokenizer:
    return train(piece_type="byte")


def test_a_batch_is_int32_arrays_of_their_own(tokenizer):
    short, empty = tokenizer.encode_batch(["fine", ""])
    assert short.dtype == empty.dtype == np.int32
    assert empty.shape == (0,)
    assert short.flags.owndata
    assert short.flags.writeable


def test_a_batch_tells_how_many_texts_each_block_had():
    counts: list[int] = []
    train().encode_batch(["fine film"] * 1100, on_progress=counts.append)
    assert counts == [512, 512, 76]


def test_a_batch_needs_a_thread():
    with pytest.raises(ConfigError, match="`num_threads` must be at least 1, got 0"):
        train().encode_batch(["a"], num_threads=0)


def test_decoding_gives_the_normalised_text(tokenizer):
    ids = tokenizer.encode("A FINE film,<br />and finely played.")
    # Punctuation is a word of its own to word pieces alone.
    words = "▁," in tokenizer.pieces("film,")
    expected = "a fine film , and finely played ." if words else "a fine film, and finely played."
    assert tokenizer.decode(ids) == expected
    assert tokenizer.decode(np.array([*ids, Tokenizer.PAD], np.int32)) == tokenizer.decode(ids)


def test_unknown_characters_keep_their_spelling_in_pieces():
    tokenizer = train()
    assert tokenizer.encode("字")[-1] == Tokenizer.UNK
    assert tokenizer.pieces("字")[-1] == "字"


def test_pieces_are_those_of_the_ids(tokenizer):
    text = "a fine film"
    assert tokenizer.pieces(text) == [tokenizer.id_to_piece(id) for id in tokenizer.encode(text)]


@given(text=TEXT)
@settings(max_examples=50, deadline=None)
def test_each_id_has_its_place_in_the_text(tokenizer, text):
    spans = tokenizer.spans(text)
    assert len(spans) == len(tokenizer.encode(text))
    place = 0
    for start, end in spans:
        assert place <= start <= end <= len(text)
        place = end


def test_places_are_counted_in_characters():
    tokenizer = train(["ab é ab é"] * 9, piece_type="char")
    text = "ab é<br/>\U0001f600b"
    pieces = [text[start:end] for start, end in tokenizer.spans(text)]
    assert [piece for piece in pieces if piece] == ["a", "b", " ", "é", "<br/>", "\U0001f600", "b"]


def test_places_continue_in_the_parts_of_a_long_text(monkeypatch):
    monkeypatch.setattr("textrnn.text.tokenizer.LONG_TEXT", 8)
    monkeypatch.setattr("textrnn.text.cuts._LONG_PART", re.compile(r"(?s).{1,8}(?=\s|\Z)"))
    tokenizer = train(["ab cd"] * 9, piece_type="char")
    text = "ab cd ab cd ab cd"
    pieces = [(start, text[start:end]) for start, end in tokenizer.spans(text)]
    letters = [(start, letter) for start, letter in pieces if letter.strip()]
    assert letters == [(i, letter) for i, letter in enumerate(text) if letter != " "]


@pytest.mark.parametrize("beyond", [-1, 10_000])
def test_an_id_outside_the_vocabulary_is_an_error(tokenizer, beyond):
    with pytest.raises(IndexError, match=rf"must be in 0 \.\. \d+, got {beyond}"):
        tokenizer.decode([2, beyond])
    with pytest.raises(IndexError, match=f"got {beyond}"):
        tokenizer.id_to_piece(beyond)


# The file


def test_saving_and_loading_keeps_every_byte(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(b"an older file")
    tokenizer.save(path)
    loaded = Tokenizer.load(str(path))
    assert loaded.to_bytes() == tokenizer.to_bytes() == path.read_bytes()
    assert loaded.encode(TEXTS[0]) == tokenizer.encode(TEXTS[0])
    assert loaded.vocab_size == tokenizer.vocab_size
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(b"old")

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ModelError, match=r"tokenizer\.model: expected a writable file .*No space"):
        train().save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_saving_into_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="expected a writable file"):
        train().save(tmp_path / "none" / "tokenizer.model")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        ModelError, match=r"none\.model: expected a readable tokenizer file, got: No such file"
    ):
        Tokenizer.load(tmp_path / "none.model")


@pytest.mark.parametrize(
    "content", [b"", b"not a model\n" * 50, b"\x0a", b"\x0a\x05ab", b"PK\x03\x04"]
)
def test_a_file_that_is_no_model_is_an_error(tmp_path, content):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"tokenizer\.model: expected a whole SentencePiece model"):
        Tokenizer.load(path)


def test_a_model_cut_anywhere_is_an_error():
    model = train(vocab_size=60).to_bytes()
    for length in [
        *range(0, 1500),
        *range(1500, len(model), 997),
        *range(len(model) - 40, len(model)),
    ]:
        with pytest.raises(ModelError):
            Tokenizer.from_bytes(model[:length])


def test_a_model_with_other_special_ids_is_an_error():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=model, vocab_size=60, minloglevel=2,
        hard_vocab_limit=False,
    )  # fmt: skip
    with pytest.raises(ModelError, match="must be 0 and 1, got -1 and 0"):
        Tokenizer.from_bytes(model.getvalue())
