"""Folders of Hugging Face `datasets`; they are written here as that package writes them."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import TextConfig
from textrnn.data import load_corpus, load_split
from textrnn.data.paths import input_files, own_splits
from textrnn.data.text_files import FileFormat, has_columns, read_rows, read_texts
from textrnn.data.unlabelled import UnlabelledTexts, load_unlabelled
from textrnn.errors import DataError

FEATURES = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}


def rows(count, prefix):
    return [{"text": f"{prefix} {i}", "label": i % 2} for i in range(count)]


def save(folder, items, *, shards=2):
    """Writes what `Dataset.save_to_disk` writes."""
    folder.mkdir(parents=True)
    names = [f"data-{shard:05}-of-{shards:05}.arrow" for shard in range(shards)]
    for shard, name in enumerate(names):
        part = pyarrow.Table.from_pylist(items[shard::shards])
        with pyarrow.ipc.new_stream(folder / name, part.schema) as writer:
            writer.write_table(part)
    state = {"_data_files": [{"filename": name} for name in names]}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    return folder


def save_splits(folder, **splits):
    """Writes what `DatasetDict.save_to_disk` writes."""
    for name, items in splits.items():
        save(folder / name, items)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": list(splits)}))
    return folder


def save_parquet(folder, **splits):
    """Writes what a repository of the hub holds."""
    folder.mkdir(parents=True)
    metadata = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    for name, items in splits.items():
        part = pyarrow.Table.from_pylist(items).replace_schema_metadata(metadata)
        pyarrow.parquet.write_table(part, folder / f"{name}-00000-of-00001.parquet")
    return folder


def test_one_data_set_is_read_like_a_table(tmp_path):
    folder = save(tmp_path / "reviews", rows(4, "train"))
    assert [(row.text, row.label) for row in read_rows(folder, FileFormat())] == [
        ("train 0", "neg"),
        ("train 2", "neg"),
        ("train 1", "pos"),
        ("train 3", "pos"),
    ]
    assert len(list(read_texts(folder))) == 4
    assert has_columns(folder)
    assert own_splits(folder) is None


@pytest.mark.parametrize("write", [save_splits, save_parquet])
def test_the_splits_of_a_folder_are_those_of_the_run(tmp_path, write):
    folder = write(
        tmp_path / "reviews", train=rows(40, "a"), validation=rows(4, "b"), test=rows(6, "c")
    )
    config = ClassifierRunConfig.of(train_file=str(folder))
    corpus = load_corpus(config, seed=0)
    assert (corpus.name, corpus.label_names) == ("reviews", ("neg", "pos"))
    assert [len(split or ()) for split in (corpus.train, corpus.validation, corpus.test)] == [
        *(40, 4, 6)
    ]
    assert corpus.validation.texts[0].startswith("b")
    split, _ = load_split(config, "test", seed=0, label_names=("neg", "pos"))
    assert len(split) == 6


def test_a_missing_split_is_drawn(tmp_path):
    folder = save_splits(tmp_path / "reviews", train=rows(40, "a"))
    corpus = load_corpus(ClassifierRunConfig.of(train_file=str(folder)), seed=0)
    assert (len(corpus.train), len(corpus.validation), corpus.test) == (36, 4, None)


def test_a_setting_replaces_a_split(tmp_path):
    folder = save_splits(tmp_path / "reviews", train=rows(40, "a"), test=rows(6, "c"))
    config = ClassifierRunConfig.of(train_file=str(folder), test_file=str(folder / "train"))
    assert len(load_corpus(config, seed=0).test or ()) == 40


@pytest.mark.parametrize("write", [save_splits, save_parquet])
def test_a_folder_of_splits_is_no_single_table(tmp_path, write):
    folder = write(tmp_path / "reviews", train=rows(4, "a"), test=rows(2, "b"))
    with pytest.raises(DataError, match=r"got a data set with the splits .*; name one of them"):
        list(read_texts(folder))
    assert input_files(folder, split="validation") == []


def test_texts_without_labels_are_those_of_the_training_split(tmp_path):
    folder = save_splits(tmp_path / "reviews", train=rows(40, "a"), test=rows(6, "c"))
    source = UnlabelledTexts(TextConfig(text_file=str(folder)), seed=0)
    assert len(list(source)) == 40
    config = ClassifierRunConfig.of(train_file="x.csv", unlabelled_file=str(folder), vat=0.02)
    assert len(list(load_unlabelled(config))) == 40


def test_splits_with_other_names_are_refused(tmp_path):
    folder = save_splits(tmp_path / "reviews", english=rows(4, "a"), french=rows(4, "b"))
    with pytest.raises(DataError, match="name the folder of one of them"):
        list(read_rows(folder, FileFormat(), split="train"))


def test_parquet_files_without_the_names_of_splits_are_one_table(tmp_path):
    folder = save_parquet(tmp_path / "reviews" / "data", one=rows(4, "a"), two=rows(3, "b"))
    assert len(list(read_rows(folder.parent, FileFormat(), split="train"))) == 7


@pytest.mark.parametrize("content", ["", "[]", '{"_data_files": [1]}'])
def test_a_damaged_folder_is_a_data_error(tmp_path, content):
    folder = save(tmp_path / "reviews", rows(4, "a"))
    (folder / "state.json").write_text(content)
    with pytest.raises(DataError, match=r"state\.json: expected a file of a saved data set"):
        list(read_rows(folder, FileFormat()))


def test_what_the_package_saves_is_read(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])}
    )
    parts = {
        name: datasets.Dataset.from_list(rows(count, name), features=features)
        for name, count in (("train", 40), ("test", 6))
    }
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"), num_proc=None)
    corpus = load_corpus(ClassifierRunConfig.of(train_file=str(tmp_path / "saved")), seed=0)
    assert corpus.label_names == ("neg", "pos")
    assert len(corpus.test or ()) == 6
    parts["test"].to_parquet(str(tmp_path / "test.parquet"))
    labels = [row.label for row in read_rows(tmp_path / "test.parquet", FileFormat())]
    assert labels == ["neg", "pos"] * 3
