from pathlib import Path

from textrnn.data.table_notices import LineCounts, Unusual


def test_each_kind_has_one_sentence_with_its_count_and_first_line():
    counts = LineCounts(Path("a.csv"))
    for line in range(2, 1502):
        counts.add(Unusual.BLANK, line=line)
    counts.add(Unusual.HEADER, line=9)
    assert list(counts.notices()) == [
        "a.csv: 1 row left out, equal to the header (the first: a.csv:9).",
        "a.csv: 1,500 blank lines skipped (the first: a.csv:2).",
    ]


def test_ordinary_lines_have_no_notice():
    assert list(LineCounts(Path("a.csv")).notices()) == []
