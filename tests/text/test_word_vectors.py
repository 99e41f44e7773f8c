import numpy as np
import pytest
import unspaced

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, DataError
from textrnn.text.tokenizer import Tokenizer
from textrnn.text.word_vectors import pretrained_embeddings

TEXTS = ["the film, the play", "don't play the filming", "playing"] * 30


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS, TokenizerConfig(vocab_size=24), cache=False)


def initial(tmp_path, tokenizer, lines, *, units=2, texts=TEXTS):
    """Returns the embeddings; values that no vector replaces are 0.5."""
    path = tmp_path / "vectors.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    table = np.full([tokenizer.vocab_size, units], 0.5, np.float32)
    return pretrained_embeddings(
        str(path), tokenizer, texts=tokenizer.encode_batch(texts), table=table
    )


def pieces_of(tokenizer: Tokenizer) -> list[str]:
    return [tokenizer.id_to_piece(id) for id in range(tokenizer.vocab_size)]


def test_a_piece_that_is_a_word_starts_from_its_vector_others_from_the_mean(tmp_path, tokenizer):
    lines = ["the 1 0", "film 0 2", ", 3 3", "filming -1 2", "playing 5 1", "n't 7 7", "do 1 9"]
    embeddings = initial(tmp_path, tokenizer, lines)
    vectors = {line.split()[0]: np.array(line.split()[1:], float) for line in lines}
    # Counted by hand: the words of the texts, by what stands between two spaces.
    words = {"▁the": 3, "▁film,": 1, "▁play": 2, "▁filming": 1, "▁playing": 1, "▁don't": 1}
    parts = {"▁film,": ["film", ","], "▁don't": ["do", "n't"]}
    expected = {}
    for id, piece in enumerate(pieces_of(tokenizer)):
        if piece[0] == "▁" and piece[1:] in vectors:
            expected[id] = vectors[piece[1:]]
            continue
        sums, count = np.zeros(2), 0
        for word, times in words.items():
            at = 0
            for token in tokenizer.pieces(word[1:]):
                end = at + len(token.replace("▁", ""))
                begin = 0
                for part in parts.get(word, [word[1:]]):
                    overlap = max(at, begin) < min(end, begin + len(part))
                    if token == piece and overlap and part in vectors:
                        sums, count = sums + times * vectors[part], count + times
                    begin += len(part)
                at = end
        if count:
            expected[id] = sums / count
    assert len(expected) > 8
    rows = np.array(sorted(expected))
    values = np.array([expected[row] for row in rows])
    scale = 0.5 / np.sqrt(np.mean(values**2))
    np.testing.assert_allclose(embeddings.values[rows], scale * values, rtol=1e-5)
    other_rows = np.delete(embeddings.values, rows, axis=0)
    np.testing.assert_array_equal(other_rows, np.full_like(other_rows, 0.5))
    assert embeddings.initialized == len(rows)
    assert embeddings.vector_size == 2
    # Of the 11 words, "don't" and "film," being two each, "play" has none, twice.
    assert embeddings.coverage == pytest.approx(9 / 11)


def test_pieces_of_a_word_that_is_alone_start_from_it(tmp_path, tokenizer):
    embeddings = initial(tmp_path, tokenizer, ["zebra 1 1", "filming 3 4"], texts=["filming"])
    rows = np.unique(tokenizer.encode("filming"))
    np.testing.assert_allclose(
        embeddings.values[rows] / embeddings.values[rows][:, :1], [[1, 4 / 3]] * len(rows)
    )
    assert embeddings.coverage == 1.0


def test_more_units_than_numbers_keep_their_start(tmp_path, tokenizer):
    lines = ["the 1 0", "film 0 2"]
    narrow = initial(tmp_path, tokenizer, lines)
    wide = initial(tmp_path, tokenizer, lines, units=5)
    np.testing.assert_array_equal(wide.values[:, :2], narrow.values)
    assert (wide.values[:, 2:] == 0.5).all()


def test_fewer_units_keep_the_products_of_vectors_that_need_no_more(tmp_path, tokenizer):
    lines = ["the 1 2 3 3", "film 0 2 1 1", "filming 2 2 5 5"]  # Of rank 2.
    full = initial(tmp_path, tokenizer, lines, units=4)
    few = initial(tmp_path, tokenizer, lines, units=2)
    rows = np.flatnonzero((few.values != 0.5).all(axis=1))
    products = [v[rows] @ v[rows].T for v in (full.values, few.values)]
    np.testing.assert_allclose(
        products[0] / products[0][0, 0], products[1] / products[1][0, 0], atol=1e-4
    )
    assert few.vector_size == 4


def test_vectors_of_another_language_are_an_error(tmp_path, tokenizer):
    with pytest.raises(DataError, match="got none; take vectors of their language"):
        initial(tmp_path, tokenizer, ["кино 1 2"])


def test_whole_words_start_from_theirs(tmp_path):
    tokenizer = Tokenizer.train(TEXTS, TokenizerConfig(piece_type="word"), cache=False)
    embeddings = initial(tmp_path, tokenizer, ["the 1 0", "play 3 4"])
    the, play = (tokenizer.encode(word)[0] for word in ("the", "play"))
    ratio = embeddings.values[play] / embeddings.values[the, 0]
    np.testing.assert_allclose(ratio, [3, 4], rtol=1e-5)


def test_bytes_have_no_words(tmp_path):
    tokenizer = Tokenizer.train(TEXTS, TokenizerConfig(piece_type="byte"), cache=False)
    with pytest.raises(ConfigError, match="need pieces of words, got byte pieces"):
        initial(tmp_path, tokenizer, ["the 1 0"])


def test_a_text_with_an_unknown_sign_and_none_at_all_do_no_harm(tmp_path, tokenizer):
    lines = ["the 1 0", "unk 2 2", "< 3 3", "pad 4 4"]
    embeddings = initial(tmp_path, tokenizer, lines, texts=["the \u4e00film the", ""])
    assert 0 < embeddings.coverage < 1
    assert (embeddings.values[[tokenizer.PAD, tokenizer.UNK]] == 0.5).all()


@pytest.mark.parametrize("script", ["chinese", "japanese", "thai"])
def test_words_of_a_script_without_spaces_have_their_vectors(tmp_path, script):
    texts = unspaced.texts(script)
    tokenizer = Tokenizer.train(texts, TokenizerConfig(piece_type="char"), cache=False)
    _, *lists = unspaced.WORDS[script]
    words = [word for words in lists for word in words if 1 < len(word) < 4]
    lines = [f"{word} {i + 1} 1" for i, word in enumerate(words)]
    embeddings = initial(tmp_path, tokenizer, lines, texts=texts)
    assert embeddings.coverage > 0
    starting = {piece for word in words if any(word in text for text in texts) for piece in word}
    assert embeddings.initialized == len(starting & set(pieces_of(tokenizer)))


def test_a_word_is_the_longest_of_a_script_without_spaces(tmp_path):
    texts = ["我喜欢iPhone手机"] * 9
    tokenizer = Tokenizer.train(texts, TokenizerConfig(piece_type="char"), cache=False)
    lines = ["喜 9 9", "喜欢 1 0", "手机 0 1", "iphone 1 1", "机 4 4"]
    embeddings = initial(tmp_path, tokenizer, lines, texts=texts)
    assert embeddings.coverage == pytest.approx(3 / 4)  # All but the first of four words.
    rows = dict(zip(pieces_of(tokenizer), embeddings.values, strict=True))
    assert rows["喜"][0] > 0, "a piece that is a word starts from its vector"
    assert rows["欢"][1] == pytest.approx(0)
    assert rows["手"][0] == pytest.approx(0)
    assert rows["n"][0] == pytest.approx(rows["n"][1])
    assert rows["我"].tolist() == [0.5, 0.5]


def test_a_piece_of_several_words_starts_from_their_mean(tmp_path):
    texts = ["我很喜欢"] * 9 + ["我很喜欢我"] * 9
    tokenizer = Tokenizer.train(texts, TokenizerConfig(piece_type="bpe"), cache=False)
    assert "▁我很喜欢" in pieces_of(tokenizer)
    embeddings = initial(tmp_path, tokenizer, ["我 1 0", "喜欢 0 1"], texts=texts)
    row = embeddings.values[pieces_of(tokenizer).index("▁我很喜欢")]
    assert row[0] == pytest.approx(row[1])
    assert row[0] != pytest.approx(0.5), "where it was"
