"""Texts tokenised by core operations, as by SentencePiece."""

from __future__ import annotations

import dataclasses
import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import example, given
from hypothesis import strategies as st
from random_examples import examples
from tiny import QUIET, labelled_texts, not_none, run_config, write_csv

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.export.formats.saved_model import save_model
from textrnn.export.graphs.core_ops_tokenizer import PlainTokenizer, plain_obstacle
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.run.classifier import train

CORPUS = ["Hello, world! It is (a) test.", "the cat's 3 hats <br /> and größe, naïve 東京"] * 3
HARD = [
    b"",
    b"  \t\r\n",
    b"hello  WORLD\x0b\x0c\x1c a",
    b"<BR/>the<bR>cat< br /><br /><br  />",
    b"\x00 a\x00b \x07 \x7f",
    b"caf\xe9 \xff\xfe \xc3( \xe2\x82 end",
    "\ufffd\ufffd a \u00a0 \u3000 \u200b b \u2028 ÉTÉ größe".encode(),
    "\U0001f600\U0001f469\u200d\U0001f680 e\u0301 \uff21 \u2581the \u2581".encode(),
    b"...!!!((the))@@ cat's_hats",
    b"qqq www eee the qqq www",
    "a\u0085the\u1680cat\u2003a\u2029the\u202fcat\u205fa\u3000the\ufeffcat".encode(),
    "\U0010ffff\ufffe\uffff the\ue000".encode(),
    b"a\xf4\x90\x80\x80b \xed\xa0\x80\xc0\xaf the\xf0\x9f",
    "great\uff01fine… \uff1cbr\uff1e a\u0300<\u0338br>".encode(),
    b"x" * 5000,
    b"a b " * 20_000,
]


@functools.cache
def tokenizers(piece_type: str, lowercase: bool) -> tuple[Tokenizer, Any]:
    config = TokenizerConfig(
        piece_type=piece_type, normalization="plain", lowercase=lowercase, vocab_size=300
    )
    tokenizer = Tokenizer.train(CORPUS, config, cache=False)
    plain = PlainTokenizer(tokenizer, config)
    return tokenizer, tf.function(
        plain.tokenize, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )


each_kind = pytest.mark.parametrize(
    ("piece_type", "lowercase"), [("word", True), ("word", False), ("byte", True), ("byte", False)]
)


def check(piece_type: str, lowercase: bool, texts: list[bytes]) -> None:
    tokenizer, tokenize = tokenizers(piece_type, lowercase)
    wanted = [tokenizer.encode(text.decode("utf-8", errors="replace")) for text in texts]
    assert tokenize(tf.constant(texts)).to_list() == wanted


@each_kind
def test_hard_texts(piece_type: str, lowercase: bool) -> None:
    check(piece_type, lowercase, HARD)


@each_kind
@examples(100)
@given(raw=st.binary(max_size=40))
@example(raw=b"\xef\xbb\xbfa")
def test_any_bytes(piece_type: str, lowercase: bool, raw: bytes) -> None:
    check(piece_type, lowercase, [raw, b"the " + raw + b" the"])


@each_kind
@examples(100)
@given(text=st.text(max_size=20))
def test_any_text(piece_type: str, lowercase: bool, text: str) -> None:
    check(piece_type, lowercase, [text.encode("utf-8", errors="replace")])


@examples(50)
@given(words=st.lists(st.sampled_from(["the", "cat", "zzz", "qq", ",", "<br>", " "])))
def test_runs_of_known_and_unknown_words(words: list[str]) -> None:
    check("word", True, [" ".join(words).encode(), "".join(words).encode()])


@pytest.mark.parametrize("given_settings", [{}, {"piece_type": "word"}, {"normalization": "plain"}])
def test_what_core_operations_cannot_do_is_said(given_settings: dict[str, Any]) -> None:
    config = TokenizerConfig(**given_settings)
    assert "`normalization` plain" in str(plain_obstacle(config))
    with pytest.raises(ConfigError, match="`piece_type` word"):
        PlainTokenizer(tokenizers("word", True)[0], config)


def test_a_model_of_other_rules_is_refused() -> None:
    tokenizer, _ = tokenizers("word", True)
    config = TokenizerConfig(piece_type="word", normalization="plain", lowercase=False)
    with pytest.raises(ModelError, match="train again, or export without `plain_ops`"):
        PlainTokenizer(tokenizer, config)


@pytest.mark.parametrize("text", ["\0", "the \ue000"])
def test_odd_vocabularies(text: str) -> None:
    config = TokenizerConfig(piece_type="word", normalization="plain")
    tokenizer = Tokenizer.train([text], config, cache=False)
    texts = ["", "the zz", text, "zz " * 20_000]
    ids = PlainTokenizer(tokenizer, config).tokenize(tf.constant(texts)).to_list()
    assert ids == [tokenizer.encode(text) for text in texts]


def test_words_are_unknown_in_runs_and_punctuation_stands_alone() -> None:
    tokenizer, _ = tokenizers("word", True)
    assert tokenizer.pieces("The CAT, hello!") == ["▁the", "▁cat", "▁,", "▁hello", "▁!"]
    assert tokenizer.encode("zzz yyy the zzz")[::2] == [Tokenizer.UNK, Tokenizer.UNK]


SERVER = """
import json, sys
import tensorflow as tf
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    graph = tf.compat.v1.saved_model.loader.load(session, ["serve"], sys.argv[1])
    texts = [bytes.fromhex(text) for text in json.loads(sys.argv[2])]
    answers = {}
    for name in ("serving_default", "tokenize"):
        signature = graph.signature_def[name]
        outputs = {key: tensor.name for key, tensor in signature.outputs.items()}
        answers |= session.run(outputs, {signature.inputs["text"].name: texts})
print(json.dumps({
    "ids": answers["ids"].tolist(),
    "scores": answers["scores"].tolist(),
    "label": [label.decode() for label in answers["label"]],
    "modules": sorted(sys.modules),
}))
"""


@pytest.mark.process
@pytest.mark.parametrize(("piece_type", "vocab_size"), [("word", 30), ("byte", 258)])
def test_a_saved_model_needs_no_tf_text(
    piece_type: str, vocab_size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    data = write_csv(tmp_path / "letters.csv", labelled_texts(20))
    tokenizer = {"piece_type": piece_type, "normalization": "plain", "vocab_size": vocab_size}
    config = run_config(data, **tokenizer)
    classifier = not_none(train(config, tmp_path / "run", reporter=QUIET))
    save_model(classifier, tmp_path / "model", plain_ops=True)
    raw = [b"a x, B", b"", b"Y <br/> zz\xff", *HARD[:-2]]
    texts = [text.decode("utf-8", errors="replace") for text in raw]
    done = subprocess.run(
        [sys.executable, "-c", SERVER, str(tmp_path / "model"), json.dumps([t.hex() for t in raw])],
        capture_output=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert "tensorflow_text" not in answer["modules"]
    ids_without_padding = [[id for id in ids if id != Tokenizer.PAD] for ids in answer["ids"]]
    assert ids_without_padding == [classifier.tokenizer.encode(text) for text in texts]
    scores = classifier.probabilities(texts)
    assert answer["scores"] == pytest.approx(scores, abs=1e-5)
    assert answer["label"] == [classifier.labels[best] for best in scores.argmax(axis=-1)]

    other_tokenizer = dataclasses.replace(classifier, config=ClassifierRunConfig())
    with pytest.raises(ConfigError, match="`piece_type` word"):
        save_model(other_tokenizer, tmp_path / "none", plain_ops=True)
    assert not (tmp_path / "none").exists()
