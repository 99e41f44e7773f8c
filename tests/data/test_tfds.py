"""Reading TFDS data sets: a tiny one is built in a temporary folder, nothing is downloaded."""

from typing import ClassVar

import numpy as np
import pytest
import tensorflow_datasets as tfds

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import TextConfig
from textrnn.data import load_corpus, load_split, load_unlabelled
from textrnn.data.tfds import TfdsSource
from textrnn.data.unlabelled import UnlabelledTexts
from textrnn.errors import ConfigError, DataError

NAMES = ["bad, dull", "good"]


class TinyReviews(tfds.core.GeneratorBasedBuilder):
    """Reviews whose features and rows depend on the config."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(name=name)
        for name in ("plain", "pairs", "several", "numbers", "latin", "bare", "broken")
    ]

    def _info(self):
        text, label = tfds.features.Text(), tfds.features.ClassLabel(names=NAMES)
        features = {
            "pairs": {"first": text, "second": text, "label": label, "other": label},
            "several": {"text": text, "labels": tfds.features.Sequence(label)},
            "bare": {"text": text},
            "numbers": {
                "body": tfds.features.Tensor(shape=(), dtype=np.str_),
                "label": tfds.features.Scalar(np.int64),
                "weight": tfds.features.Scalar(np.float32),
            },
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                features.get(
                    self.builder_config.name,
                    {"text": text, "label": label, "image": tfds.features.Image(shape=(1, 1, 3))},
                )
            )
        )

    def _split_generators(self, dl_manager):
        if self.builder_config.name == "broken":
            raise ValueError("no such\nserver")
        splits = {"train": self._rows(20), "validation": self._rows(4), "test": self._rows(4)}
        if self.builder_config.name in ("plain", "latin"):
            splits["test"] = self._rows(4, label=-1)
            splits["unsupervised"] = self._rows(5, label=-1)
        return splits

    def _generate_examples(self):
        raise NotImplementedError

    def _rows(self, count, label=None):
        image = np.zeros((1, 1, 3), np.uint8)
        for n in range(count):
            text, value = f"review {n} á", n % 2 if label is None else label
            yield (
                n,
                {
                    "plain": {"text": text, "label": value, "image": image},
                    "latin": {"text": b"\xe1" if n == 3 else text, "label": value, "image": image},
                    "pairs": {"first": text, "second": "x", "label": value, "other": 0},
                    "several": {"text": text, "labels": [[], [0], [1, 0]][n % 3]},
                    "bare": {"text": text},
                    "numbers": {"body": text, "label": n % 3 - 1, "weight": 0.5},
                }[self.builder_config.name],
            )


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return str(tmp_path_factory.mktemp("tfds"))


def load(config_name, data_dir, **settings):
    config = ClassifierRunConfig.of(
        dataset=f"tiny_reviews/{config_name}", data_dir=data_dir, **settings
    )
    return load_corpus(config, seed=0)


def test_text_label_and_splits_are_found(data_dir, capsys):
    corpus = load("plain", data_dir)
    assert corpus.name == "tiny_reviews_plain"
    assert corpus.label_names == tuple(NAMES)
    assert sorted(zip(corpus.validation.texts, corpus.validation.labels, strict=True)) == [
        (f"review {n} á", (NAMES[n % 2],)) for n in range(4)
    ]
    assert len(corpus.train) == 20
    assert capsys.readouterr().out == ""


def test_split_without_labels_counts_as_absent(data_dir):
    corpus = load("plain", data_dir)
    assert corpus.test is None
    left_out, shared = corpus.notices
    assert (
        left_out
        == "tiny_reviews_plain: the split test (4 texts) left out, because it has no labels."
    )
    assert shared.startswith("4 of 4 validation texts are also in the training data")


def test_texts_without_labels_are_read_one_by_one(data_dir, tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("mine\n \n")
    config = ClassifierRunConfig.of(
        dataset="tiny_reviews/plain",
        data_dir=data_dir,
        unlabelled=True,
        unlabelled_file=str(path),
        vat=0.02,
    )
    *texts, last = load_unlabelled(config)
    assert sorted(texts) == [f"review {n} á" for n in range(5)]
    assert last == "mine"
    assert list(load_unlabelled(ClassifierRunConfig.of(dataset="tiny_reviews/plain"))) == []


def test_texts_without_labels_that_are_missing_or_damaged_are_errors(data_dir):
    config = ClassifierRunConfig.of(
        dataset="tiny_reviews/pairs", data_dir=data_dir, unlabelled=True, vat=0.02
    )
    choice = {"label_key": "label", "text_key": "first"}
    with pytest.raises(DataError, match=r"expected a split 'unsupervised', got .*train"):
        list(load_unlabelled(config.replace(**choice)))
    with pytest.raises(DataError, match=r"unsupervised, text \d: expected UTF-8 text, got: "):
        list(load_unlabelled(config.replace(dataset="tiny_reviews/latin")))


@pytest.mark.parametrize(("name", "count"), [("bare", 20), ("several", 20), ("plain", 25)])
def test_a_language_model_reads_data_sets_with_any_labels_or_none(data_dir, name, count):
    config = TextConfig(dataset=f"tiny_reviews/{name}", data_dir=data_dir)
    texts = UnlabelledTexts(config, seed=0)
    assert set(texts) == {f"review {n} á" for n in range(20)}
    assert texts.count == len(list(texts)) == count
    with pytest.raises(ConfigError, match="first, second; set `text_key`"):
        UnlabelledTexts(TextConfig(dataset="tiny_reviews/pairs", data_dir=data_dir), seed=0)


def test_own_test_file_takes_the_place_of_the_split(data_dir, tmp_path):
    path = tmp_path / "test.csv"
    path.write_text("text,label\na,good\n")
    config = ClassifierRunConfig.of(
        dataset="tiny_reviews/plain", data_dir=data_dir, test_file=str(path)
    )
    split, _ = load_split(config, "test", seed=0, label_names=NAMES)
    assert split.texts == ["a"]


def test_ambiguous_features_name_the_candidates_and_the_option(data_dir):
    with pytest.raises(ConfigError, match="label, other; set `label_key` to one of label, other"):
        load("pairs", data_dir)
    with pytest.raises(ConfigError, match="first, second; set `text_key` to one of first, sec"):
        load("pairs", data_dir, label_key="label")
    with pytest.raises(ConfigError, match="got nope; set `text_key` to one of first, second"):
        load("pairs", data_dir, label_key="label", text_key="nope")
    corpus = load("pairs", data_dir, label_key="label", text_key="first")
    assert corpus.label_names == tuple(NAMES)


def test_lists_of_labels_need_multi_label(data_dir):
    with pytest.raises(ConfigError, match="set `multi_label=True`"):
        load("several", data_dir)
    corpus = load("several", data_dir, multi_label=True)
    assert corpus.label_names == tuple(NAMES)
    assert sorted(corpus.validation.labels) == [(), (), (NAMES[0],), (NAMES[1], NAMES[0])]


def test_class_names_are_never_split(data_dir):
    corpus = load("plain", data_dir, multi_label=True)
    assert set(corpus.train.labels) == {(name,) for name in NAMES}


def test_integer_labels_and_string_tensors_work(data_dir):
    corpus = load("numbers", data_dir)
    assert corpus.label_names == ("-1", "0", "1")
    assert corpus.train.texts[0].startswith("review")


def test_bytes_that_are_not_utf_8_are_a_bad_row(data_dir):
    with pytest.raises(DataError, match=r"tiny_reviews_latin train, text \d+: expected UTF-8"):
        load("latin", data_dir)
    corpus = load("latin", data_dir, skip_bad_rows=True)
    assert len(corpus.train) == 19


def test_damaged_record_file_is_named(tmp_path):
    load("plain", str(tmp_path))
    (path,) = tmp_path.glob("tiny_reviews/plain/1.0.0/*-train.tfrecord*")
    content = path.read_bytes()
    path.write_bytes(content[:40] + b"?" + content[41:])
    with pytest.raises(DataError, match=f"^{path}: expected readable TFRecords") as caught:
        load("plain", str(tmp_path))
    assert len(str(caught.value).splitlines()) == 1


def test_data_set_that_cannot_be_prepared_names_the_ways_out(tmp_path):
    with pytest.raises(DataError, match=r"no such server; prepare it .*`train_file`") as caught:
        load("broken", str(tmp_path))
    assert len(str(caught.value).splitlines()) == 1


def test_data_set_without_text_lists_its_features(tmp_path, monkeypatch):
    builder = tfds.builder("mnist", data_dir=str(tmp_path))
    monkeypatch.setattr("textrnn.data.tfds.prepared_builder", lambda dataset, data_dir: builder)
    with pytest.raises(ConfigError, match="can be the text, got none; its features are"):
        TfdsSource(ClassifierRunConfig.of(dataset="mnist"))


def test_an_unknown_config_lists_the_known_ones(tmp_path):
    with pytest.raises(DataError, match="configs: plain, pairs") as caught:
        load("nope", str(tmp_path))
    assert len(str(caught.value).splitlines()) == 1
