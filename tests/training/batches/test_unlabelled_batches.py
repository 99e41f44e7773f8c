import itertools

import numpy as np
import pytest
from tiny import QUIET, classifier, fit, labelled_ids, not_none, run_config, stop_after, trainer

from textrnn.data.batching import BatchPlan
from textrnn.errors import ConfigError, DataError
from textrnn.inference import run_folder
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.batches.unlabelled_batches import UnlabelledBatches
from textrnn.training.run.classifier import train
from textrnn.training.run.preparation import digest


def unlabelled(count: int = 25, *, seed: int = 3) -> UnlabelledBatches:
    rng = np.random.default_rng(seed)
    texts = [rng.integers(2, 10, size=rng.integers(1, 30)) for _ in range(count)]
    return UnlabelledBatches(BatchPlan(texts, batch_tokens=128, batch_texts=6), seed=0)


def both(**settings) -> LabelledBatches:
    data = labelled_ids()
    return LabelledBatches(data.plan, data.targets, data.weights, unlabelled(**settings))


def first(data, count, **settings):
    return list(itertools.islice(data.ids(**{"first": 0, "multiple": 1, **settings}), count))


def test_every_pass_deals_every_text_once_in_another_order():
    data = unlabelled()
    count = len(data.plan.batches())
    batches = first(data, 2 * count)
    expected = sorted(tuple(text.tolist()) for text in data.plan.texts)
    passes = []
    for a_pass in (batches[:count], batches[count:]):
        rows = [tuple(row[row > 0].tolist()) for ids in a_pass for row in ids if row.any()]
        assert sorted(rows) == expected
        passes.append(rows)
    assert passes[0] != passes[1]
    assert data.mean_rows == 25 / count


def test_it_continues_at_any_update():
    data = unlabelled()
    whole = first(data, 20)
    for actual_rows, second in zip(first(data, 9, first=11), whole[11:], strict=True):
        np.testing.assert_array_equal(actual_rows, second)


def test_rows_are_filled_up_by_empty_ones():
    for ids, plain in zip(first(unlabelled(), 9, multiple=4), first(unlabelled(), 9), strict=True):
        assert len(ids) % 4 == 0
        np.testing.assert_array_equal(ids[: len(plain)], plain)
        assert not ids[len(plain) :].any()


def test_the_labelled_batches_bring_them_along():
    data = both()
    batches = data.plan.batches(seed=0)[:3]
    rows = list(data.dataset(batches, update=5).as_numpy_iterator())
    plain = labelled_ids().dataset(batches).as_numpy_iterator()
    for (*labelled, more), expected, other_rows in zip(
        rows, plain, first(data.unlabelled, 3, first=5), strict=True
    ):
        for actual_rows, second in zip(labelled, expected, strict=True):
            np.testing.assert_array_equal(actual_rows, second)
        np.testing.assert_array_equal(more, other_rows)
    assert data.unlabelled_rows == not_none(data.unlabelled).mean_rows
    assert labelled_ids().unlabelled_rows == 0


def test_other_unlabelled_texts_are_other_data():
    assert len({digest(data) for data in (both(), both(seed=4), labelled_ids())}) == 3


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_a_training_that_was_interrupted_continues_to_the_same_bits(tmp_path):
    def start(folder, **more):
        model = classifier(head="mean", embedding_dropout=0.2, word_dropout=0.1)
        return trainer(folder, model=model, train=both(), epochs=2, vat=0.1, **more)

    whole = start(tmp_path / "whole")
    history = fit(whole)
    with pytest.raises(KeyboardInterrupt):
        fit(start(tmp_path, should_stop=stop_after(10)))
    again = start(tmp_path)
    again.resume(QUIET)
    assert fit(again) == history
    for actual_rows, second in zip(
        whole.model.get_weights(), again.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(actual_rows, second)


# A run


def files(tmp_path):
    labelled = tmp_path / "train.csv"
    rows = [f"a b x {n},pos\nb c y {n},neg\n" for n in range(10)]
    labelled.write_text("text,label\n" + "".join(rows))
    more = tmp_path / "more.txt"
    more.write_text("".join(f"quokka {n} x\n\n" for n in range(30)))
    return labelled, more


@pytest.mark.thorough
def test_a_run_reads_them_and_its_tokenizer_knows_their_words(tmp_path, monkeypatch):
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    labelled, more = files(tmp_path)
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("a 1 2\nquokka 3 4\n")
    config = run_config(
        labelled, unlabelled_file=str(more), vat=0.05, vectors=str(vectors), vocab_size=40
    )
    messages: list[str] = []
    monkeypatch.setattr(type(QUIET), "message", lambda _, text: messages.append(text))
    trained = not_none(train(config, tmp_path / "run", reporter=QUIET))
    assert any(text.startswith("30 texts without labels, ") for text in messages)
    assert any("vectors of 2 numbers, with 2 random numbers appended, for" in t for t in messages)
    assert trained.tokenizer.UNK not in trained.tokenizer.encode("quokka")
    assert run_folder.load(tmp_path / "run").config == config


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"unlabelled_file": "{more}"}, ConfigError, "need `vat`, `entropy` or `teachers`"),
        ({"unlabelled": True, "vat": 0.1}, ConfigError, "needs a TFDS data set with a split"),
        ({"unlabelled_file": "{none}", "vat": 0.1}, DataError, "got none; check the path"),
        ({"unlabelled_file": "{empty}", "vat": 0.1}, DataError, "texts without labels, got none"),
    ],
)
def test_what_cannot_be_learned_from_is_an_error(tmp_path, monkeypatch, settings, error, message):
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    labelled, more = files(tmp_path)
    (tmp_path / "empty.txt").write_text("\n \n")
    names = {"more": more, "none": tmp_path / "none.txt", "empty": tmp_path / "empty.txt"}
    for name, value in settings.items():
        settings[name] = value.format(**names) if isinstance(value, str) else value
    with pytest.raises(error, match=message):
        train(run_config(labelled, **settings), tmp_path / "run", reporter=QUIET)
