import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from planted_tickets import planted_tickets, share_found
from tiny import finished_run, not_none, write_csv

from textrnn.analysis.data_check.check import check_data
from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.analysis.data_check.judge import LabelJudge
from textrnn.analysis.data_check.label_errors import rank_labels
from textrnn.analysis.data_check.out_of_fold import out_of_fold_probabilities
from textrnn.analysis.data_check.page import check_page
from textrnn.analysis.data_check.suspects import find_label_errors
from textrnn.analysis.data_check.tables import write_tables
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Split
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.models.label_space import LabelSpace
from textrnn.progress import Silent

SINGLE = LabelSpace(("a", "b"), multi_label=False)


def find(split, *, folds=5, run=None, repeats=(), **settings):
    return find_label_errors(
        split,
        LabelJudge(folds, run),
        config=ClassifierRunConfig.of(train_file="none.csv", **settings),
        repeats=repeats,
        reporter=Silent(),
    )


def test_the_least_probable_labels_are_first():
    labels = [("a",)] * 60 + [("b",)] * 60
    probabilities = np.tile([0.9, 0.1], [120, 1])
    probabilities[60:] = [0.1, 0.9]
    probabilities[7], probabilities[100] = [0.02, 0.98], [0.95, 0.05]
    ranked, agreement = rank_labels(labels, probabilities, label_space=SINGLE)
    assert [suspect.place for suspect in ranked[:2]] == [7, 100]
    assert (ranked[0].given, ranked[0].suggested) == (("a",), ("b",))
    assert [suspect.is_probable for suspect in ranked[:3]] == [True, True, False]
    assert agreement == pytest.approx(118 / 120)


def test_labels_that_no_text_has_do_not_disturb():
    labels = [("a",)] * 30 + [("c",)] * 30
    space = LabelSpace(("a", "b", "c"), multi_label=False)
    probabilities = np.tile([0.8, 0.1, 0.1], [60, 1])
    probabilities[30:] = [0.1, 0.1, 0.8]
    probabilities[3] = [0.1, 0.8, 0.1]
    ranked, _ = rank_labels(labels, probabilities, label_space=space)
    assert ranked[0].place == 3


def test_several_labels_of_a_text_are_ranked_together():
    rng = np.random.default_rng(0)
    targets = rng.random([200, 3]) < 0.4
    space = LabelSpace(("a", "b", "c"), multi_label=True)
    labels = [tuple(n for n, has in zip("abc", row, strict=True) if has) for row in targets]
    probabilities = np.where(targets, 0.9, 0.1)
    labels[11] = tuple(set("abc") - set(labels[11]))
    ranked, _ = rank_labels(labels, probabilities, label_space=space)
    assert ranked[0].place == 11
    assert set(ranked[0].suggested) == set("abc") - set(ranked[0].given)


def test_out_of_fold_answers_come_from_models_that_have_not_seen_the_text():
    texts = [f"word{n} {'good' if n % 2 else 'bad'}" for n in range(60)]
    labels = [("b",) if n % 2 else ("a",) for n in range(60)]
    texts[0], labels[0] = "unheard only here", ("b",)
    p, seen = (
        out_of_fold_probabilities(
            Split([*texts, *twins], [*labels, *[("b",)] * len(twins)]),
            label_space=SINGLE,
            folds=5,
            groups=range(60 + len(twins)),
        )
        for twins in ([], texts[:1])  # A twin in another fold shows the text to its model.
    )
    right = p.argmax(axis=1) == [0 if label == ("a",) else 1 for label in labels]
    assert right[1:].all()
    assert p[0, 1] < 0.65
    assert seen[0, 1] > 0.85


def test_texts_of_one_group_are_in_one_fold():
    texts = [f"good {n}" for n in range(30)] + [f"bad {n}" for n in range(30)] + ["zebra"] * 8
    labels = [("b",)] * 30 + [("a",)] * 30 + [("b",)] * 8
    groups = [*range(60), *[99] * 8]
    p = out_of_fold_probabilities(Split(texts, labels), label_space=SINGLE, folds=5, groups=groups)
    alone = out_of_fold_probabilities(
        Split(texts, labels), label_space=SINGLE, folds=5, groups=range(68)
    )
    assert p[60:, 1].max() < 0.65 < alone[60:, 1].min()


def test_planted_label_errors_are_in_the_top_tenth(split_of):
    table = planted_tickets(600)
    errors = find(split_of(list(zip(table.texts, table.labels, strict=True))))
    top = {suspect.place for suspect in errors.ranked[:60]}
    assert share_found(table.wrong, top) >= 0.8
    (finding,) = errors.findings()
    assert "probably wrong" in finding.message


def test_labels_of_too_few_texts_are_left_out(split_of):
    pairs = [(f"good {n}", "b") for n in range(20)] + [(f"bad {n}", "a") for n in range(20)]
    errors = find(split_of([*pairs, ("odd", "c"), ("odd one", "c")]))
    assert errors.left_out == (40, 41)
    assert errors.texts == 40


def test_data_of_one_frequent_label_cannot_be_ranked(split_of):
    pairs = [(f"good {n}", "b") for n in range(20)]
    with pytest.raises(DataError, match="on 5 different texts or more, to rank labels, got 1"):
        find(split_of([*pairs, ("x", "a")]))


def test_a_missing_package_is_told_before_the_data_is_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    with pytest.raises(ConfigError, match=r"pip install 'textrnn\[check\]'"):
        check_data(ClassifierRunConfig.of(train_file="none.csv"), judge=LabelJudge(folds=5))


def test_few_texts_of_several_labels(split_of):
    pairs = [("a b", ("x", "y")), ("c d", ("y",)), ("e f", ()), ("g h", ("y",)), ("i", ())]
    more = [("j k", ("z",)), ("l", ("z", "y"))]
    errors = find(split_of(pairs + more), folds=2, multi_label=True)
    assert errors.left_out == (0,)
    with pytest.raises(DataError, match="to rank labels"):
        find(split_of(pairs[:2]), folds=2, multi_label=True)


@pytest.fixture
def letters(split_of):
    """Letters as the run `finished` has learned them, one with the wrong label."""
    pairs = [(f"a x {n}", "pos") for n in range(30)] + [(f"a y {n}", "neg") for n in range(30)]
    pairs[4] = ("a x b", "neg")
    return split_of(pairs)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    return finished_run(tmp_path_factory)


@pytest.mark.usefixtures("eagerly")
def test_a_run_ranks_labels_of_other_texts(letters, finished):
    errors = find(letters, folds=0, run=finished.folder)
    assert errors.source == str(finished.folder)
    assert len(errors.ranked) == errors.texts == 60
    assert errors.caution == ""


@pytest.mark.usefixtures("eagerly")
def test_a_run_and_folds_together_are_averaged(letters, finished):
    errors = find(letters, folds=5, run=finished.folder)
    assert errors.source == f"5 folds of a linear model and {finished.folder}"
    assert errors.ranked[0].place == 4


@pytest.mark.usefixtures("eagerly")
def test_a_run_that_learned_from_the_rows_is_told(finished, tmp_path):
    path = not_none(finished.classifier.config.data.train_file)
    config = ClassifierRunConfig.of(train_file=path)
    check = check_data(config, judge=LabelJudge(run=finished.folder))
    assert "ranking_caution" in {finding.kind for finding in check.findings}
    copy = tmp_path / "copy.csv"
    copy.write_bytes(Path(path).read_bytes())
    moved = ClassifierRunConfig.of(train_file=str(copy))
    check = check_data(moved, judge=LabelJudge(run=finished.folder))
    assert "ranking_caution" in {finding.kind for finding in check.findings}


@pytest.mark.usefixtures("eagerly")
def test_a_run_with_other_labels_is_an_error(split_of, finished):
    with pytest.raises(DataError, match=r"labels of the data \(p, q\), got one with neg, pos"):
        find(split_of([("t", "p"), ("u", "q")]), folds=0, run=finished.folder)
    with pytest.raises(ConfigError, match="gives one label"):
        find(split_of([("t", "pos")]), folds=0, run=finished.folder, multi_label=True)
    with pytest.raises(ModelError, match="expected a run folder"):
        find(split_of([("t", "p"), ("u", "q")]), folds=0, run=finished.folder / "none")


def test_the_tables_and_the_page_hold_the_ranking(tmp_path):
    table = planted_tickets(200)
    path = tmp_path / "tickets.csv"
    path.write_text(table.csv())
    check = check_data(ClassifierRunConfig.of(train_file=str(path)), judge=LabelJudge(folds=3))
    paths = write_tables(check, tmp_path / "tables")
    assert [p.name for p in paths] == [
        *("findings.csv", "classes.csv", "repeats.csv", "label_errors.csv"),
    ]
    with open(paths[-1], newline="") as file:
        rows = list(csv.DictReader(file))
    first = rows[0]
    assert table.texts[int(first["row"]) - 1] == first["text"]
    assert table.labels[int(first["row"]) - 1] == first["given_label"]
    assert first["origin"] == f"{path}:{int(first['row']) + 1}"
    page = check_page(check)
    assert "Probable label errors" in page
    assert first["suggested_label"] in page


def test_nothing_in_a_text_becomes_part_of_the_page(tmp_path):
    rows = [
        (f"<script>alert({'abcdefgh'[n % 8] * n})</script>", "<b>x</b>" if n % 2 else "y")
        for n in range(60)
    ]
    path = write_csv(tmp_path / "evil.csv", rows)
    page = check_page(
        check_data(ClassifierRunConfig.of(train_file=str(path)), judge=LabelJudge(folds=2))
    )
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page
    assert "&lt;script&gt;alert" in page
    assert "http" not in page


@pytest.mark.slow
def test_a_table_of_20_000_tickets():
    table = planted_tickets(20_000)
    split = CheckedSplit.of(Split(table.texts, [(label,) for label in table.labels]), name="train")
    from textrnn.analysis.data_check.repeats import find_repeats

    repeats = find_repeats([split])
    assert {repeat.place for repeat in repeats} >= table.duplicates
    errors = find(split, repeats=repeats)
    top = {suspect.place for suspect in errors.ranked[:2000]}
    assert share_found(table.wrong, top) >= 0.8
