"""Any files at all, against readers that are too simple to be wrong.

A row is read as it was written, or a notice or a bad row accounts for its lines.
"""

import csv
import io
import json
import re

from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import FileFormat, load_corpus
from textrnn.data.text_files import read_rows

# What tables are made of, more often than letters.
NASTY = st.text(st.sampled_from(list("ab \"',;\t|\n\r\\é\u200b[]0")), max_size=12)
LINE = st.text(st.sampled_from(list("ab \"';|é\\.")), min_size=1, max_size=12)
LABEL = st.sampled_from(["pos", "neg"])


def read(path, **form):
    notices: list[str] = []
    rows_read = list(read_rows(path, FileFormat(**form), notices=notices))
    return rows_read, notices


def reported_count(notices, noun):
    return sum(int(n.replace(",", "")) for n in re.findall(rf": ([\d,]+) {noun}", str(notices)))


@examples(150)
@given(
    rows=st.lists(st.tuples(NASTY, LABEL), min_size=1, max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_a_well_written_table_is_read_as_it_was_written(
    tmp_path_factory, rows, delimiter, quoting, ending
):
    if quoting == csv.QUOTE_MINIMAL:  # Python's writer leaves a lone carriage return bare.
        rows = [(text.replace("\r", "\n"), label) for text, label in rows]
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=ending)
        writer.writerows([("text", "label"), *rows])
    rows_read, notices = read(path)
    assert [(r.text, r.label, r.problem) for r in rows_read] == [(*row, "") for row in rows]
    assert not reported_count(notices, "lines? with")


@examples(150)
@given(
    rows=st.lists(st.tuples(LINE, LABEL), min_size=1, max_size=12),
    kind=st.sampled_from([(".csv", ","), (".tsv", "\t")]),
)
def test_a_table_without_quoting_loses_no_line_in_silence(tmp_path_factory, rows, kind):
    ending, delimiter = kind
    path = tmp_path_factory.mktemp("fuzz") / f"a{ending}"
    lines = [f"{text}{delimiter}{label}\n" for text, label in rows]
    path.write_text(f"text{delimiter}label\n" + "".join(lines), encoding="utf-8")
    rows_read, _ = read(path)
    assert sum(row.lines for row in rows_read) == len(rows)
    good = [row for row in rows_read if not row.problem]
    if len(good) < len(rows):
        assert any(row.problem for row in rows_read) or any(r.lines > 1 for r in good)
    for row in good:
        if row.lines == 1:
            line = int(row.origin.rpartition(":")[2])
            text, label = rows[line - 2]
            assert row.label == label
            # Quotes around a whole field are no part of it, and a database's backslashes neither.
            assert row.text in (text, *csv_readings(text)) or "\\" in text


def csv_readings(text):
    """A field as it is, or as a reader of quotes has it."""
    return [next(csv.reader([text + "\1"], delimiter="\1"), [""])[0], text[1:-1].replace('""', '"')]


@examples(60)
@given(content=st.text(st.sampled_from(list('a,"\n;\t')), max_size=60))
def test_any_characters_are_rows_or_problems_with_all_lines_counted(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    path.write_text("text,label\nx,a\ny,b\n" + content, encoding="utf-8", newline="")
    rows_read, notices = read(path)
    lines = list(io.StringIO("x,a\ny,b\n" + content, newline=""))
    counted = sum(r.lines for r in rows_read) + reported_count(notices, "blank lines?")
    assert counted == len(lines)


@examples(60)
@given(rows=st.lists(st.tuples(NASTY, st.sampled_from(["pos", 1, True, None])), max_size=12))
def test_json_lines_are_read_as_they_were_written(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("fuzz") / "a.jsonl"
    path.write_text("".join(json.dumps({"text": a, "label": b}) + "\n" for a, b in rows))
    rows_read, _ = read(path)
    assert [(r.text, r.label) for r in rows_read] == rows


NAMES = st.sampled_from(["a.txt", "b.TXT", "c.md", ".d.txt", "e", "deep/f.txt", "g.txt.gz"])


@examples(60)
@given(files=st.sets(st.tuples(st.sampled_from(["pos", "neg", "none"]), NAMES)))
def test_a_folder_s_files_are_texts_or_in_a_notice(tmp_path_factory, files):
    import gzip

    folder = tmp_path_factory.mktemp("fuzz")
    texts = {("pos", "x.txt"), ("neg", "x.txt")}
    for name, file in files | texts:
        path = folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(b"hi") if file.endswith(".gz") else b"hi")
    rows_read, notices = read(folder)
    left_out = reported_count(notices, "items?")
    assert len(rows_read) + left_out == len(files | texts)
    assert {row.text for row in rows_read} == {"hi"}


@examples(40)
@given(
    texts=st.lists(st.sampled_from("abcdefgh"), min_size=12, max_size=60),
    data=st.data(),
    seed=st.integers(0, 99),
)
def test_equal_texts_never_straddle_training_and_validation(tmp_path_factory, texts, data, seed):
    labels = [data.draw(LABEL) for _ in texts[2:]]
    rows = zip([*texts, "first", "second"], ["pos", "neg", *labels, "pos", "neg"], strict=True)
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    corpus = load_corpus(
        ClassifierRunConfig.of(train_file=str(path), valid_fraction=0.3), seed=seed
    )
    assert not set(corpus.train.texts) & set(corpus.validation.texts)
    assert len(corpus.train) + len(corpus.validation) == len(texts) + 2
