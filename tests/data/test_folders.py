"""Folders with one sub-folder a class."""

import os
import sys

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus
from textrnn.data.folders import class_files
from textrnn.errors import DataError


def make(folder, *names, content="text of {}"):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.format(name))
    return folder


def test_everything_that_is_left_out_is_in_a_notice(tmp_path):
    make(tmp_path, "pos/a.txt", "pos/b.md", "pos/c", "pos/deep/d.txt", "pos/.e.txt", "neg/f.txt")
    make(tmp_path, "readme.txt", "neg/.DS_Store")
    (tmp_path / "empty").mkdir()
    classes = class_files(tmp_path)
    assert [(label, path.name) for label, path in classes.files] == [
        ("neg", "f.txt"),
        ("pos", "a.txt"),
    ]
    left_out = [notice.removeprefix(f"{tmp_path}: ") for notice in classes.notices]
    assert left_out[0].startswith("1 item outside of the sub-folders left out (1 .txt; the first: ")
    assert left_out[1].startswith("3 items that are hidden or not .txt left out (1 .txt, ")
    assert left_out[2].startswith("1 item in deeper folders left out (1 .txt; the first: ")
    assert left_out[3] == "no texts in the sub-folders 'empty'; they are not classes."


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "dev"), ("train", "extra")])
def test_sub_folders_that_are_splits_are_an_error_that_names_the_right_ones(tmp_path, names):
    for name in names:
        make(tmp_path / name, "pos/a.txt", "neg/b.txt", "urls.txt")
    with pytest.raises(DataError, match="look like splits of a data set; set") as caught:
        class_files(tmp_path)
    assert f"`train_file={str(tmp_path / names[0])!r}`" in str(caught.value)


def test_a_class_may_be_called_test(tmp_path):
    make(tmp_path, "test/a.txt", "exam/b.txt")
    assert {label for label, _ in class_files(tmp_path).files} == {"exam", "test"}


def test_splits_are_classes_on_demand(tmp_path):
    make(tmp_path, "test/a.txt", "train/b.txt")
    assert len(class_files(tmp_path, check_labels=False).files) == 2


def test_texts_without_labels_are_no_class(tmp_path):
    names = [f"{label}/{n}.txt" for label in ("pos", "neg", "unsup") for n in range(12)]
    make(tmp_path, *names)
    corpus = load_corpus(ClassifierRunConfig.of(train_file=str(tmp_path)), seed=0)
    assert corpus.label_names == ("neg", "pos")
    assert "the sub-folder 'unsup' (12 files) left out" in corpus.notices[0]
    config = ClassifierRunConfig.of(train_file=str(tmp_path), check_labels=False)
    assert load_corpus(config, seed=0).label_names == ("neg", "pos", "unsup")


def test_a_folder_without_texts_says_what_is_in_it(tmp_path):
    make(tmp_path, "pos/a.md", "pos/b.md", "neg/c.md")
    with pytest.raises(
        DataError, match=r"no \.txt file in them \(3 items that are hidden or not \.txt\)"
    ):
        class_files(tmp_path)


def test_texts_in_deeper_folders_alone_are_an_error(tmp_path):
    make(tmp_path, "news/pos/a.txt", "news/neg/b.txt")
    with pytest.raises(DataError, match="name the folder directly above the classes"):
        class_files(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_a_class_whose_name_is_no_text_says_so(tmp_path):
    make(tmp_path, "pos/a.txt", os.fsdecode(b"caf\xe9/b.txt"), content="a text")
    with pytest.raises(DataError, match="expected a folder whose name is UTF-8 text"):
        load_corpus(ClassifierRunConfig.of(train_file=str(tmp_path)), seed=0)
