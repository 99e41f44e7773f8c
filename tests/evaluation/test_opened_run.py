import pytest
from tiny import finished_run

from textrnn.errors import ModelError
from textrnn.evaluation.opened_run import OpenedRun, RunRecord


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return finished_run(tmp_path_factory)


def test_a_folder_is_loaded(run):
    opened = OpenedRun.of(str(run.folder))
    assert (opened.folder, opened.name) == (run.folder, str(run.folder))
    assert opened.classifier.labels == run.classifier.labels


def test_a_classifier_is_taken_as_it_is(run):
    opened = OpenedRun.of(run.classifier)
    assert opened.classifier is run.classifier
    assert (opened.folder, opened.name) == (None, "the classifier")


def test_the_record_is_the_same_with_and_without_the_weights(run):
    assert OpenedRun.of(run.folder).record == RunRecord.of(str(run.folder))
    assert RunRecord.of(run.classifier).labels == run.classifier.labels


def test_a_folder_that_is_no_run_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="expected a run folder"):
        OpenedRun.of(tmp_path / "none")
