import numpy as np
import pytest

from textrnn.text.word_segmentation import candidate_words, count_tokens, token_words

PIECES = ["<pad>", "<unk>", "▁the", "▁film", "s", ",", "▁do", "n't", "▁我", "喜", "欢", "▁"]


def words_of(token, known, *, max_length=4):
    return list(token_words(token, PIECES, known, max_length=max_length))


def test_tokens_are_counted_from_one_space_to_the_next():
    texts = [np.array([2, 3, 4, 2]), np.array([3, 4]), np.array([], np.int32)]
    assert count_tokens(texts, PIECES) == {(2,): 2, (3, 4): 2}


def test_a_token_with_a_vector_is_one_word():
    assert words_of((3, 4, 5), {"films,"}) == [("films,", [3, 4, 5])]


def test_other_tokens_are_letters_signs_and_endings():
    assert words_of((3, 4, 5), {}) == [("films", [3, 4]), (",", [5])]
    assert words_of((6, 7), {}) == [("do", [6]), ("n't", [7])]


def test_a_piece_may_be_a_part_of_two_words():
    pieces = ["▁don", "'t"]
    assert list(token_words((0, 1), pieces, {}, max_length=1)) == [("do", [0]), ("n't", [0, 1])]


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"我", "喜欢"}, [("我", [8]), ("喜欢", [9, 10])]),
        ({"喜", "欢"}, [("我", [8]), ("喜", [9]), ("欢", [10])]),
        ({"我喜"}, [("我喜", [8, 9]), ("欢", [10])]),
    ],
)
def test_words_without_spaces_are_the_longest_known_ones(known, words):
    assert words_of((8, 9, 10), known) == words


def test_candidates_are_words_and_neighbouring_pieces_of_unspaced_scripts():
    candidates = candidate_words([(3, 4, 5), (8, 9, 10)], PIECES)
    assert {"the", "film", "films,", "films", ",", "我喜", "喜欢", "我喜欢"} <= candidates
    assert "lm" not in candidates
