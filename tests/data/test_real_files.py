"""Files as people and programs really write them, and what comes of each.

Each case is a small hostile file. It states the rows, labels and notes that `train` and `predict`
must give, or the remedy that their error must name. No row may be lost without a note.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from textrnn.cli.flags import with_flags
from textrnn.cli.text_options import TextOptions
from textrnn.cli.texts import BadRow, TextSource
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus
from textrnn.errors import TextRNNError
from textrnn.progress import Silent

ROWS = [(f"row {i} says {'good' if i % 2 else 'bad'} things", "np"[i % 2]) for i in range(30)]
SAME = object()
"""Predict reads as many texts as train reads rows."""


@dataclass
class Case:
    """A file, and what must come of it.

    Attributes:
        name: The file's name.
        content: What is in it.
        rows: How many rows train reads, or what the error says.
        labels: The labels that train finds.
        notes: What the notices say.
        predict: How many texts predict reads, or what its error says.
        settings: Of the data.
    """

    name: str
    content: str | bytes
    rows: int | str
    labels: tuple[str, ...] = ("n", "p")
    notes: tuple[str, ...] = ()
    predict: Any = SAME
    settings: dict[str, Any] = field(default_factory=dict)


def table(rows: Any = ROWS, *, header: Any = ("text", "label"), **form: Any) -> str:
    text = io.StringIO()
    csv.writer(text, **form).writerows([header, *rows] if header else rows)
    return text.getvalue()


def raw(rows: Any = ROWS, *, separator: str = ",", header: Any = ("text", "label")) -> str:
    """A table written without any quoting."""
    return "".join(separator.join(map(str, row)) + "\n" for row in [header, *rows])


def replaced(**rows: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """`ROWS` with these in the place of some: `r3=(...)` is the fourth."""
    changed: list[tuple[Any, ...]] = list(ROWS)
    for name, row in rows.items():
        changed[int(name[1:])] = row
    return changed


def labelled(*cells: Any) -> list[tuple[str, Any]]:
    """`ROWS` with these label cells, again and again."""
    return [(text, cell) for (text, _), cell in zip(ROWS, itertools.cycle(cells))]


def lines(rows: Any) -> str:
    return "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)


MULTI = {"multi_label": True}
VECTOR = "--label-names"

CASES = [
    # Separators.
    Case("semicolon.csv", table(delimiter=";"), 30, notes=("read with ';'",)),
    Case("pipe.csv", table(delimiter="|"), 30, notes=("read with '|'",)),
    Case("tab.csv", table(delimiter="\t"), 30, notes=("read with a tab",)),
    Case("comma.tsv", table(), 30, notes=("read with ','",)),
    Case("sep_line.csv", "sep=;\r\n" + table(delimiter=";"), 30, notes=("read with ';'",)),
    Case("sep_tab.csv", "sep=\t\n" + table(delimiter="\t"), 30, notes=("read with a tab",)),
    Case("named.csv", table(delimiter=":"), 30, settings={"delimiter": ":"}),
    Case("named_tab.csv", table(delimiter="\t"), 30, settings={"delimiter": "tab"}),
    Case("wrongly_named.csv", table(), "--delimiter", settings={"delimiter": ";"},
         predict="--delimiter"),
    Case("semicolon_commas.csv", raw(replaced(r3=("well, no, never", "p")), separator=";"), 30),
    Case("other_names.csv", raw(header=("review", "stars"), separator=";"),
         "'review', 'stars'", predict="--text-column"),
    Case("bom_semicolon.csv", "\ufeff" + table(delimiter=";"), 30, notes=("read with ';'",)),
    Case("quoted_header.csv", '"text","label"\n' + table(header=None), 30),
    Case("spaced_header.csv", table(header=(" text ", "label ")), 30),
    Case("line_end_in_header.csv", table(header=("text", "label", "a\nnote"), rows=[
        (*row, "x") for row in ROWS]), 30),
    Case("windows.csv", table(lineterminator="\r\n"), 30),
    Case("old_mac.csv", table(lineterminator="\r"), 30),
    # Quotes.
    Case("one_quote_opens.csv", raw(replaced(r5=('"a row', "p"))), 30,
         notes=("1 line with a quote",)),
    Case("two_quotes_open.csv", raw(replaced(r5=('"a row', "p"), r9=('"an', "n"))), 30,
         notes=("2 lines with a quote",)),
    Case("far_quotes.csv", raw(replaced(r5=('"a row', "p"), r25=('he is 6\'2"', "n"))), 30,
         notes=("1 line with a quote",)),
    Case("quote_within.csv", raw(replaced(r5=('he said "no" twice', "p"))), 30),
    Case("title_first.csv", raw(replaced(r5=('"Hamlet" is long', "p"))), 30,
         notes=("1 line with a quote",)),
    Case("inner_quotes.csv", raw(replaced(r5=('"the film "Hamlet" again"', "p"))), 30,
         notes=("1 line with a quote",)),
    Case("inner_quote_and_comma.csv", raw(replaced(r5=('"the "best", they said"', "p"))),
         "quote within a text", predict="quote within a text"),
    Case("skipped_quote.csv", raw(replaced(r5=('"the "best", they said"', "p"))), 29,
         settings={"skip_bad_rows": True}, notes=("1 bad row left out",), predict=29),
    Case("never_closed.csv", raw(replaced(r29=('"the end', "p"))), 30, notes=("1 line with a",)),
    Case("cut_off.csv", raw(ROWS[:-1]) + '"and then, they', "never closes", predict="never closes"),
    Case("several_lines.csv", table(replaced(r5=("one\ntwo, three\n\nfour", "p"))), 30),
    Case("poem.csv", table(replaced(r5=("roses, red\nviolets, blue\nso, it goes", "p"))), 30,
         notes=("1 row of several lines",)),
    Case("list_in_text.csv", table(replaced(r5=("a,n\nb,p\nc", "p"))), 32, notes=("quote",)),
    Case("list_in_quoted_text.csv",
         table(replaced(r5=("a,n\nb,p\nc", "p"), r20=("x, y", "n"))), 30,
         notes=("1 row of several lines",)),
    Case("label_first.csv", table([(b, a) for a, b in replaced(r5=("one\ntwo, three", "p"))],
                                  header=("label", "text")), 30),
    Case("quote.tsv", raw(replaced(r5=('"a row', "p")), separator="\t"), 30, notes=("1 line",)),
    Case("quotes.tsv", raw(replaced(r5=('"a', "p"), r8=('b"', "n")), separator="\t"), 30,
         notes=("1 line",)),
    Case("odd_quotes.tsv", raw(replaced(r5=('say "', "p"), r8=('" b', "n"), r20=('c"', "n")),
                               separator="\t"), 30, notes=("1 line",)),
    Case("quoted_lines.tsv", table(replaced(r5=("one\ntwo", "p")), delimiter="\t"), 30),
    Case("all_quoted.csv", table(quoting=csv.QUOTE_ALL), 30),
    Case("all_quoted_one_stray.csv",
         table(quoting=csv.QUOTE_ALL).replace("row 5 says good", 'row 5 says "good"'), 30,
         notes=("1 line with a quote",)),
    Case("backslashes.csv", table(replaced(r5=('a "b", c', "p")), doublequote=False,
                                  escapechar="\\"), 30, notes=("1 line with backslashes",)),
    # Rows that are no data.
    Case("two_headers.csv", table() + table([(a + " too", b) for a, b in ROWS]), 60,
         notes=("1 row left out, equal to the header",)),
    Case("swapped_headers.csv", table() + table(ROWS, header=("label", "text")),
         "a second header", predict="a second header"),
    Case("ragged.csv", table(replaced(r5=("a", "p", "x"))), "expected 2 columns, got 3",
         predict="expected 2 columns, got 3"),
    Case("extra_commas.csv", raw().replace("\n", ",\n").replace("text,label,", "text,label"), 30,
         notes=("30 rows with empty cells after the last column",)),
    Case("ragged_skipped.csv", table(replaced(r5=("a", "p", "x"))), 29, predict=29,
         settings={"skip_bad_rows": True}, notes=("1 bad row left out",)),
    Case("blank_lines.csv", table().replace("\r\n", "\r\n\r\n"), 30, notes=("31 blank lines",)),
    # The writer of Python 3.10 refuses a NUL.
    Case(
        "nul.csv",
        table(replaced(r5=("a$b", "p"))).replace("$", "\0"),
        "NUL byte",
        predict="NUL byte",
    ),
    Case("empty.csv", "", "got an empty file", predict="got an empty file"),
    Case("header_only.csv", "text,label\n", "got none", predict=0),
    Case("no_header.csv", table(header=None), "expected one column named 'text'",
         predict="expected one column named 'text'"),
    Case("empty_texts.csv", table(replaced(r5=("  ", "p"))), 29, notes=("1 row with an empty",),
         predict=30),
    # Labels.
    Case("scale.csv", table([(a, i / 7) for i, (a, _) in enumerate(ROWS * 2)]), "write ranges",
         predict=60),
    Case("ids.csv", table([(a, f"id {i}") for i, (a, _) in enumerate(ROWS)]), "--label-column",
         predict=30),
    Case("swapped.csv", table(header=("label", "text")), "--label-column", predict=30),
    Case("whole_numbers.csv", table(labelled("1", "1.0", "0", "0.0")), 30, ("0", "1"),
         ("several spellings read as one label",)),
    Case("nan.csv", table(labelled("1", "nan", "0")), "--skip-bad-rows", predict=30),
    Case("missing_names.csv", table(labelled("p", "n", "None")), 30, ("None", "n", "p"),
         ("taken as classes: 'None' (10 rows)",)),
    Case("misspelt.csv", table(replaced(r5=("a", "good"), r6=("b", "good"), r7=("c", "goood"))),
         30, ("good", "goood", "n", "p"), ("'goood' (like 'good', 2 rows)",)),
    Case("composed.csv", table(labelled("caf\u00e9", "cafe\u0301", "bar")), 30,
         ("bar", "caf\u00e9"), ("several spellings read as one label",)),
    Case("invisible.csv", table(labelled("p", "p\u200b", "n", "\ufeffn")), 30,
         notes=("several spellings read as one label",)),
    Case("no_break_space.csv", table(labelled("a b", "a\u00a0b", "c")), 30, ("a b", "c")),
    Case("tab_in_label.csv", table(labelled("a\tb", "c")), 30, ("a b", "c")),
    Case("case.csv", table(labelled("Spam", "spam", "ham")), 30, ("Spam", "ham", "spam"),
         ("differ only in case or width",)),
    Case("signs.csv", table(labelled("+1", "1", "-1")), 30, ("-1", "1"),
         ("several spellings read as one label",)),
    Case("marks.csv", "".join("\ufeff" + table([(a + str(n), b) for a, b in ROWS])
                              for n in range(3)), 90, notes=("2 rows left out, equal to the",)),
    Case("spaced_quotes.csv", "text, label\n" + "".join(f'"{a}", "{b}"\n' for a, b in ROWS), 30),
    Case("spaced_commas.csv", "label, text\n" + "".join(f'"{b}", "{a}, no"\n' for a, b in ROWS),
         30, notes=("30 lines with a space before quotes",)),
    Case("vectors_unasked.csv", table(labelled("0 0 1", "0 1 1", "1 0 0")), VECTOR, predict=30),
    Case("nul.jsonl", lines(replaced(r5=("a\0b", "p"))), "NUL byte", predict="NUL byte"),
    Case("blank.jsonl", lines(ROWS) + "\n\n", 30, notes=("2 blank lines",)),
    Case("utf16_bare.csv", table().encode("utf-16-le"), "--encoding utf-16-le",
         predict="--encoding utf-16-le"),
    Case("quarters.csv", table([(f"{a} {i}", i % 12 / 4) for i, (a, _) in enumerate(ROWS * 4)]),
         120, tuple(f"{n / 4}" for n in range(12)), ("12 different numbers taken as classes",)),
    Case("wide.csv", table(labelled("spam", "\uff53pam", "ham")), 30, ("ham", "spam", "\uff53pam"),
         ("differ only in case or width",)),
    Case("lookalike.csv", table(labelled("spam", "sp\u0430m", "ham")), 30,
         ("ham", "spam", "sp\u0430m"), ("letters of two scripts",)),
    Case("prices.csv", table([(f"{a} {i}", i // 2) for i, (a, _) in enumerate(ROWS * 5)]), 150,
         tuple(sorted(map(str, range(75)))), ("75 different numbers taken as classes",)),
    Case("combined.csv", table(labelled("a,b", "b,c", "a", "c")), "--multi-label", predict=30),
    Case("accepted.csv", table(labelled("a,b", "b,c", "a", "c")), 30, ("a", "a,b", "b,c", "c"),
         settings={"check_labels": False}),
    Case("places.csv", table(labelled("Albany, NY", "Buffalo, NY", "Austin, TX")), 30,
         ("Albany, NY", "Austin, TX", "Buffalo, NY")),
    Case("one_label.csv", table(labelled("a")), "at least 2 labels", predict=30),
    Case("list_unasked.csv", table(labelled("['a', 'b']", "['a']")), "--multi-label", predict=30),
    # Several labels.
    Case("python_lists.csv", table(labelled("['a', 'b']", "['b']", "[]")), 30, ("a", "b"),
         ("1.00 labels per text",), settings=MULTI),
    Case("json_lists.csv", table(labelled('["a", "b"]', '["b"]')), 30, ("a", "b"), settings=MULTI),
    Case("numpy_lists.csv", table(labelled("['a' 'b']", "['b']")), 30, ("a", "b"), settings=MULTI),
    Case("tuples_and_sets.csv", table(labelled("('a', 'b')", "{'b'}", "set()")), 30, ("a", "b"),
         settings=MULTI),
    Case("flags.jsonl", lines(labelled({"a": 1, "b": 0}, {"a": 0, "b": 1})), 30, ("a", "b"),
         settings=MULTI),
    Case("bare_brackets.csv", table(labelled("[a, b]", "[b]")), "a list such as", predict=30,
         settings=MULTI),
    Case("vectors.csv", table(labelled("[0, 1, 1]", "[1, 0, 0]")), VECTOR, settings=MULTI,
         predict=30),
    Case("digits.csv", table(labelled("011", "100")), VECTOR, settings=MULTI, predict=30),
    Case("vectors.jsonl", lines(labelled([0, 1, 1], [1, 0, 0])), VECTOR, settings=MULTI,
         predict=30),
    Case("named_vectors.csv", table(labelled("[0, 1, 1]", "[1, 0, 0]")), 30, ("x", "y", "z"),
         settings={**MULTI, "label_names": "x,y,z"}),
    Case("named_spaces.csv", table(labelled("0 1 1", "100")), 30, ("x", "y", "z"),
         settings={**MULTI, "label_names": "x,y,z"}),
    Case("short_vectors.csv", table(labelled("0 1", "100")), VECTOR, predict=30,
         settings={**MULTI, "label_names": "x,y,z"}),
    Case("one_hot.csv", table([(a, i % 2, 1 - i % 2) for i, (a, _) in enumerate(ROWS)],
                              header=("text", "x", "y")), 30, ("x", "y"),
         settings={"label_columns": "x,y"}),
    Case("columns.csv", table([(a, i % 2, "True", "") for i, (a, _) in enumerate(ROWS)],
                              header=("text", "x", "y", "z")), 30, ("x", "y"),
         ("no text has the label z",), settings={**MULTI, "label_columns": "x,y,z"}),
    Case("columns_of_words.csv", table([(a, "maybe") for a, _ in ROWS], header=("text", "x")),
         "expected 0 or 1 for the label 'x'", predict=30,
         settings={**MULTI, "label_columns": "x"}),
    Case("columns_unasked.csv", table([(a, 1, 0) for a, _ in ROWS], header=("text", "x", "y")),
         "--label-columns", predict=30, settings=MULTI),
    Case("other_separator.csv", table(labelled("a;b", "b;c")), "--label-separator ';'", predict=30,
         settings=MULTI),
    Case("one_of_several.csv", table(labelled("a", "")), 30, ("a",), settings=MULTI),
    Case("always_the_same.csv", table(labelled("a,b")), "texts without a label", predict=30,
         settings=MULTI),
    # Encodings and other forms.
    Case("latin.csv", table(replaced(r5=("\u00e9t\u00e9", "p"))).encode("latin-1"),
         "--encoding cp1252", predict="--encoding cp1252"),
    Case("latin_named.csv", table(replaced(r5=("\u00e9t\u00e9", "p"))).encode("latin-1"), 30,
         settings={"encoding": "latin-1"}),
    Case("utf16.csv", table().encode("utf-16"), 30),
    Case("utf16_named.csv", table().encode("utf-16"), 30, settings={"encoding": "utf-16"}),
    Case("utf8_mark_in_latin.csv", table().encode("utf-8-sig"), "--encoding utf-8",
         settings={"encoding": "latin-1"}, predict="--encoding utf-8"),
    Case("broken.jsonl", lines(ROWS) + "{'text': 'x'}\n", "invalid JSON", predict="invalid JSON"),
    Case("array.jsonl", json.dumps([{"text": a, "label": b} for a, b in ROWS]),
         "expected a JSON object, got list", predict="expected a JSON object, got list"),
    Case("null_text.jsonl", lines(replaced(r5=(None, "p"))), "expected a string as text, got null",
         predict="expected a string as text, got null"),
    Case("nan_label.jsonl", lines(labelled(1, float("nan"), 0)), "--skip-bad-rows", predict=30),
    Case("float_labels.jsonl", lines(labelled(1.0, 1, 0)), 30, ("0", "1")),
    Case("deep_list.jsonl", lines(labelled([["a"], "b"], ["b"])), "as label", predict=30,
         settings=MULTI),
    Case("sheet.xlsx", b"PK\x03\x04", "expected an Excel workbook (.xlsx)",
         predict="expected an Excel workbook (.xlsx)"),
    Case("packed.csv", b"\x1f\x8b\x08\x00", ".gz", predict=".gz"),
    Case("renamed.csv", b"PK\x03\x04", "give an Excel file its ending .xlsx",
         predict="give an Excel file its ending .xlsx"),
    Case("texts.txt", "one\ntwo\n\n", ".csv, .tsv or .jsonl", predict=3),
    Case("texts.parquet", b"PAR1", "expected a whole Parquet file",
         predict="expected a whole Parquet file"),
]  # fmt: skip


def written(case: Case, folder: Path) -> Path:
    path = folder / case.name
    content = case.content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_the_table_is_large_enough():
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_train_reads_each_file_rightly_or_names_the_remedy(case, tmp_path):
    config = ClassifierRunConfig.of(train_file=str(written(case, tmp_path)), **case.settings)
    if isinstance(case.rows, str):
        with pytest.raises(TextRNNError) as caught:
            load_corpus(config, seed=0)
        message = with_flags(caught.value)
        assert case.rows in message
        assert case.name in message
        assert len(message.splitlines()) == 1
        return
    corpus = load_corpus(config, seed=0)
    assert len(corpus.train) + len(corpus.validation) == case.rows
    assert corpus.label_names == case.labels
    for note in case.notes:
        assert any(note in notice for notice in corpus.notices), corpus.notices


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_predict_reads_each_file_rightly_or_names_the_remedy(case, tmp_path):
    """Returns the texts that predict reads; its defaults are the run's settings."""
    path = written(case, tmp_path)
    config = ClassifierRunConfig.of(train_file="train.csv", **case.settings)
    source = TextSource(TextOptions(file=path, skip_bad_rows=config.data.skip_bad_rows))
    expected = case.rows if case.predict is SAME else case.predict
    if isinstance(expected, str):
        with pytest.raises(TextRNNError) as caught:
            list(source.read(config.data))
        assert expected in with_flags(caught.value)
        return
    kinds: list[type] = []

    def line(answer: str | BadRow) -> str:
        kinds.append(type(answer))
        return ""

    source.print_answers(source.read(config.data), line, reporter=Silent())
    assert kinds.count(str) == expected
    assert set(kinds) <= {str, BadRow}
