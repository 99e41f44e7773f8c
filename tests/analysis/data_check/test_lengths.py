from textrnn.analysis.data_check.lengths import Lengths, check_lengths, lengths


def found(split_of, texts):
    return {f.kind: f for f in check_lengths(split_of([(text, "x") for text in texts]))}


def test_the_distribution():
    shown = Lengths.of(range(1, 102))
    assert (shown.mean, shown.median, shown.percentile_95, shown.longest) == (51, 51, 96, 101)
    assert Lengths.of([7]) == Lengths(7, 7, 7, 7)


def test_words_of_scripts_without_spaces_are_estimated(split_of):
    assert lengths(split_of([("我们很喜欢这本书", "x")]))["words"]["longest"] == 5


def test_rows_that_have_run_together(split_of):
    finding = found(split_of, ["a short text"] * 20 + ["long " * 4000])["long_texts"]
    assert finding.rows == (21,)
    assert "has 20,000" in finding.message


def test_texts_cut_at_one_length(split_of):
    texts = [f"{n} " + "y" * n for n in range(40)] + [f"{n:02}" + "x" * 98 for n in range(10)]
    assert found(split_of, texts)["cut_texts"].count == 10


def test_ordinary_lengths(split_of):
    assert found(split_of, [f"{n} " + "word " * n for n in range(40)]) == {}
