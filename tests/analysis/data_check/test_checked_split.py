import pytest

from textrnn.analysis.data_check.checked_split import read_splits
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import DataError


@pytest.fixture
def read(tmp_path):
    def call(content, *, suffix=".csv", test=None, **settings):
        path = tmp_path / f"data{suffix}"
        path.write_text(content, encoding="utf-8")
        if test is not None:
            (tmp_path / "test.csv").write_text(test, encoding="utf-8")
            settings["test_file"] = str(tmp_path / "test.csv")
        return read_splits(ClassifierRunConfig.of(train_file=str(path), **settings))

    return call


def kinds(split):
    return [finding.kind for finding in split.findings]


def test_rows_are_numbered_as_in_the_file(read):
    (split,) = read("text,label\na,x\n,x\nb,y\nc,\nd,y\n")
    assert split.texts == ["a", "b", "d"]
    assert split.rows == [1, 3, 5]
    assert [origin.rsplit(":", 1)[1] for origin in split.origins] == ["2", "4", "6"]


def test_rows_that_cannot_be_used_are_an_error_and_blank_texts_a_warning(read):
    (split,) = read("text,label\na,x\n,x\nb,y\nc,\n")
    bad, blank = split.findings
    assert (bad.kind, bad.severity, bad.rows) == ("bad_rows", "error", (4,))
    assert "data.csv:5: expected a label, got none" in bad.message
    assert (blank.kind, blank.severity, blank.rows) == ("blank_texts", "warning", (2,))


def test_bad_rows_that_a_training_skips_are_a_warning(read):
    (split,) = read("text,label\na,x\nc,\nb,y\n", skip_bad_rows=True)
    assert split.findings[0].severity == "warning"


def test_blank_test_texts_are_kept_as_an_evaluation_keeps_them(read):
    _, test = read("text,label\na,x\nb,y\n", test="text,label\n ,x\nq,y\n")
    assert len(test) == 2
    assert kinds(test) == ["blank_texts"]


def test_a_label_that_the_training_data_lacks_is_a_bad_row(read):
    _, test = read("text,label\na,x\nb,y\n", test="text,label\na,z\nb,y\n")
    assert test.rows == [2]
    assert "got 'z'" in test.findings[0].message


def test_spellings_of_one_label_are_merged_and_told(read):
    (split,) = read("text,label\na,1\nb,1.0\nc,2\n")
    assert split.labels[0] == split.labels[1]
    assert kinds(split) == ["label_spelling"]


def test_labels_that_a_training_refuses_are_an_error(read):
    rows = "".join(f"t{n},{n}.5\n" for n in range(60))
    (split,) = read("text,label\n" + rows)
    assert kinds(split) == ["labels_refused"]
    assert split.findings[0].severity == "error"


def test_an_unusual_separator_is_told(read):
    (split,) = read("text;label\na;x\nb;y\n")
    assert "';' between the columns" in split.findings[0].message


def test_a_file_without_any_usable_row_is_an_error_of_the_user(read):
    with pytest.raises(DataError, match=r"1 row cannot be used \(the first: .*expected a label"):
        read("text,label\na,\n")


def test_a_folder_per_class(tmp_path):
    for label in ("neg", "pos"):
        (tmp_path / "films" / label).mkdir(parents=True)
        (tmp_path / "films" / label / "1.txt").write_text(f"a {label} film")
    (split,) = read_splits(ClassifierRunConfig.of(train_file=str(tmp_path / "films")))
    assert split.labels == [("neg",), ("pos",)]
    assert split.origins[0].endswith("1.txt")


@pytest.mark.parametrize(
    ("written", "settings", "named"),
    [
        ("utf-8", {}, "utf-8"),
        ("utf-16", {}, "utf-16"),
        ("cp1252", {"encoding": "cp1252"}, "cp1252"),
    ],
)
def test_the_encoding_of_the_file_is_named(tmp_path, written, settings, named):
    path = tmp_path / "data.csv"
    path.write_text("text,label\né,x\nb,y\n", encoding=written)
    (split,) = read_splits(ClassifierRunConfig.of(train_file=str(path), **settings))
    assert split.encoding == named
    assert split.texts == ["é", "b"]


def test_a_folder_has_the_encoding_of_no_file(tmp_path):
    for label in ("x", "y"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "a.txt").write_text(label)
    (split,) = read_splits(ClassifierRunConfig.of(train_file=str(tmp_path)))
    assert split.encoding == ""
