"""Reading the user's own files."""

import csv
import gzip
import io
import json
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.data.text_files import FileFormat, read_rows, read_texts, stem
from textrnn.errors import ConfigError, DataError

# Lone surrogates are not text, tables refuse NUL bytes, and U+FEFF at the start of a line is a byte
# order mark.
TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")))


def read(path, **form):
    return list(read_rows(path, FileFormat(**form)))


def write(path, content, *, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "id,label,text\n1,pos,good film\n2,neg,dull\n"),
        ("a.tsv", "label\ttext\npos\tgood film\nneg\tdull\n"),
        ("a.jsonl", '{"text": "good film", "label": "pos"}\n\n{"text": "dull", "label": "neg"}'),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_reads_texts_and_labels_of_each_format(tmp_path, name, content, suffix):
    rows = read(write(tmp_path / (name + suffix), content))
    assert [(r.text, r.label, r.problem) for r in rows] == [
        ("good film", "pos", ""),
        ("dull", "neg", ""),
    ]


def test_reads_the_named_columns(tmp_path):
    path = write(tmp_path / "a.csv", "review, stars \ngood,5\n")
    assert read(path, text_column="review", label_column="stars")[0][1:3] == ("good", "5")


def test_byte_order_mark_is_no_part_of_the_header(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\na,b\n", encoding="utf-8-sig")
    assert read(path)[0].text == "a"


def test_reads_other_encodings(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\ncafé,b\n", encoding="utf-16")
    assert read(path, encoding="utf-16")[0].text == "café"


def test_folder_gives_a_class_per_sub_folder_in_sorted_order(tmp_path):
    for name in ("pos/b.txt", "pos/a.TXT", "neg/c.txt", ".git/d.txt", "neg/.e.txt", "neg/f.md"):
        write(tmp_path / name, f"{name}\n")
    write(tmp_path / "readme.txt", "not a text")
    assert [(r.text, r.label) for r in read(tmp_path)] == [
        ("neg/c.txt\n", "neg"),
        ("pos/a.TXT\n", "pos"),
        ("pos/b.txt\n", "pos"),
    ]


def test_line_numbers_name_the_first_line_of_a_row(tmp_path):
    path = write(tmp_path / "a.csv", 'text,label\n"one\ntwo\r\nthree",a\n\nfour,b\nfive\n')
    rows = read(path)
    assert [r.origin for r in rows] == [f"{path}:2", f"{path}:6", f"{path}:7"]
    assert "expected 2 columns, got 1" in rows[2].problem


def test_rows_after_a_bad_row_are_still_read(tmp_path):
    path = write(tmp_path / "a.csv", b'text,label\n"a"b,,c\na\0b,c\n\xa3,c\ngood,d\n')
    first, second, third, last = read(path)
    assert "expected CSV" in first.problem
    assert "NUL" in second.problem
    assert third.text == "\udca3"
    assert (last.text, last.label, last.problem) == ("good", "d", "")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "invalid JSON"),
        ("[" * 100_000, "invalid JSON"),
        ("[1]", "expected a JSON object, got list"),
        ('{"text": "a", "x": 1}', "expected the key 'label', got 'text', 'x'"),
    ],
)
def test_bad_json_line_is_a_problem_of_its_row(tmp_path, line, problem):
    path = write(tmp_path / "a.jsonl", line + '\n{"text": "a", "label": 1}\n')
    bad, good = read(path)
    assert problem in bad.problem
    assert (good.origin, good.label) == (f"{path}:2", 1)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "a.csv: expected a header row, got an empty file"),
        ("a.csv", "a,b\n1,2\n", "a.csv:1: expected one column named 'text' in the header, got 'a'"),
        ("a.csv", "text,text,label\n", "expected one column named 'text'"),
        (
            "a.csv",
            "text,label\na,b\n".encode("utf-16-le"),
            "set `encoding='utf-16-le'`",
        ),
        ("a.csv", '"a"b,c\n', "a.csv:1: expected CSV"),
        ("a.txt", "a\n", "expected a .csv, .tsv or .jsonl file"),
        ("folder/x/a.md", "a", "sub-folders 'x' and no .txt file"),
    ],
)
def test_unusable_file_is_one_line_that_names_it(tmp_path, name, content, message):
    write(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        read(tmp_path / name.split("/")[0])
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))
    assert len(str(caught.value).splitlines()) == 1


def test_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match=r"a\.csv: expected a file, got none"):
        read(tmp_path / "a.csv")


def test_damaged_gzip_file_is_a_data_error(tmp_path):
    whole = gzip.compress(("text,label\n" + "a,b\n" * 1000).encode())
    flipped = whole[:12] + bytes([whole[12] ^ 0xFF]) + whole[13:]
    for content in (whole[:-10], whole[:25], flipped, b"text,label\na,b\n"):
        path = tmp_path / "a.csv.gz"
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.csv\.gz: expected a whole gzip file"):
            read(path)


@pytest.mark.parametrize("encoding", ["no-such", "hex"])
def test_unknown_encoding_is_a_config_error(tmp_path, encoding):
    path = write(tmp_path / "a.csv", "text,label\n")
    with pytest.raises(ConfigError, match="`encoding`"):
        read(path, encoding=encoding)


def test_long_fields_are_read_whole(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\n" + "x" * 200_000 + ",a\n")
    assert len(read(path)[0].text) == 200_000


def test_texts_are_the_lines_of_any_other_file(tmp_path):
    path = write(tmp_path / "a.log.gz", " a\r\n\nb\u2028c\rd\n e")
    assert list(read_texts(path)) == [" a", "", "b\u2028c\rd", " e"]


def test_texts_need_no_label_column(tmp_path):
    path = write(tmp_path / "a.csv", 'body\na\n""\n')
    assert list(read_texts(path, FileFormat(text_column="body"))) == ["a", ""]


def test_texts_come_from_standard_input_and_leave_it_open(monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO("á\nb".encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert list(read_texts("-")) == ["á", "b"]
    assert not stdin.buffer.closed


def test_texts_are_read_one_by_one(tmp_path):
    path = write(tmp_path / "a.txt", b"a\n\xff\n")
    texts = read_texts(path)
    assert next(texts) == "a"
    with pytest.raises(DataError, match=r"a\.txt:2: expected utf-8 text, got the byte 0xff"):
        next(texts)


@pytest.mark.parametrize("value", ["5", "null", '["a"]', '"\\ud83d"'])
def test_text_that_is_no_text_is_a_data_error(tmp_path, value):
    path = write(tmp_path / "a.jsonl", '{"text": ' + value + "}\n")
    with pytest.raises(DataError, match=r"a\.jsonl:1: expected"):
        list(read_texts(path))


def test_texts_from_a_folder_are_a_data_error(tmp_path):
    with pytest.raises(DataError, match="expected a file, got a folder"):
        list(read_texts(tmp_path))


@pytest.mark.parametrize("name", ["reviews.csv", "reviews.jsonl.gz", "reviews"])
def test_stem_drops_the_extensions(tmp_path, name):
    assert stem(tmp_path / name) == "reviews"


@examples(30)
@given(texts=TEXTS)
def test_tables_give_back_any_texts(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("tables") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((text, "x") for text in texts)])
    assert [row.text for row in read(path)] == texts
    assert list(read_texts(path)) == texts


@examples(30)
@given(texts=TEXTS, ascii_only=st.booleans())
def test_json_lines_give_back_any_texts(tmp_path_factory, texts, ascii_only):
    path = tmp_path_factory.mktemp("lines") / "a.jsonl.gz"
    rows = (json.dumps({"text": text}, ensure_ascii=ascii_only) + "\n" for text in texts)
    write(path, "".join(rows))
    assert list(read_texts(path)) == texts
