import shutil

import pytest
from tiny import finished_run, not_none

import textrnn
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.inference.classifier import TrainedClassifier


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return finished_run(tmp_path_factory)


@pytest.fixture(scope="module")
def twin(run, tmp_path_factory):
    return shutil.copytree(run.folder, tmp_path_factory.mktemp("twin") / "run")


def with_labels(run, *labels) -> TrainedClassifier:
    """The classifier of a run with other names of its labels."""
    classifier = run.classifier
    return TrainedClassifier(classifier.model, classifier.tokenizer, labels, classifier.config)


@pytest.mark.usefixtures("eagerly")
def test_a_run_equals_its_copy(run, twin):
    comparison = textrnn.compare([run.folder, twin])
    first, second = comparison.runs
    assert comparison.texts == 10
    assert (first.name, second.name) == (str(run.folder), str(twin)), "equal names of folders"
    assert first.accuracy == second.accuracy
    assert first.accuracy.value == run.classifier.metrics["test"]["accuracy"]
    (pair,) = comparison.pairs
    assert (pair.only_first, pair.only_second, pair.p_value) == (0, 0, 1.0)


@pytest.mark.thorough
def test_one_run_is_compared_with_a_linear_model(run):
    comparison = textrnn.compare([run.folder], baseline=True)
    assert [figures.name for figures in comparison.runs] == ["run", "linear"]
    assert len(comparison.pairs) == 1
    measured = run.classifier.metrics["baseline"]["test"]["accuracy"]
    assert comparison.runs[1].accuracy.value == measured
    with pytest.raises(ConfigError, match="at least two runs to compare, or one with `baseline`"):
        textrnn.compare([run.folder])


def test_classifiers_are_compared_on_given_texts(run):
    comparison = textrnn.compare(
        [run.folder, run.classifier], texts=["a x", "b y"], labels=["pos", "neg"]
    )
    assert [figures.name for figures in comparison.runs] == ["run", "classifier 2"]
    assert [figures.accuracy.value for figures in comparison.runs] == [1.0, 1.0]
    assert not_none(comparison.runs[0].file_bytes) > 0
    assert comparison.runs[1].file_bytes is None


@pytest.mark.usefixtures("eagerly")
def test_the_order_of_the_labels_does_not_matter(run):
    swapped = with_labels(run, "pos", "neg")
    comparison = textrnn.compare(
        [run.classifier, swapped], texts=["a x", "b y"], labels=["pos", "neg"]
    )
    assert [figures.accuracy.value for figures in comparison.runs] == [1.0, 0.0]
    assert comparison.pairs[0].only_first == 2


@pytest.mark.usefixtures("eagerly")
def test_validation_texts_of_the_same_split_are_compared(run, twin):
    assert textrnn.compare([run.folder, twin], split="validation").texts == 4


def test_runs_that_cannot_be_compared_are_errors(run, tmp_path):
    with pytest.raises(ConfigError, match="expected at least two runs to compare, or one"):
        textrnn.compare([run.folder])
    with pytest.raises(ModelError, match="expected a run folder"):
        textrnn.compare([run.folder, tmp_path / "none"])
    with pytest.raises(DataError, match=r"expected the labels of .* \(pos, neg\), got odd, neg"):
        textrnn.compare(
            [run.classifier, with_labels(run, "neg", "odd")], texts=["x"], labels=["pos"]
        )


def test_one_run_in_the_place_of_a_list_is_an_error():
    with pytest.raises(ConfigError, match="expected a list of runs, such as"):
        textrnn.compare("runs/a")
