import dataclasses

import pytest
from tiny import finished_run, labelled_texts

from textrnn.analysis.drift.drift import find_drift
from textrnn.analysis.drift.profile import PROFILE, Profile
from textrnn.errors import DataError, ModelError

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    return finished_run(tmp_path_factory)


@pytest.fixture
def same():
    return [text for text, _ in labelled_texts(60, seed=5)]


@pytest.fixture
def other():
    return ["f f f f f f f f f f f f f f f x x x x x x"] * 40


def test_a_run_remembers_its_texts(finished):
    profile = Profile.from_dict(finished.classifier.data[PROFILE])
    assert profile is not None
    assert (profile.training.texts, profile.validation.texts) == (36, 4)
    assert profile.training.counts.sum() > 36


def test_texts_of_the_same_kind(finished, same):
    drift = find_drift(finished.folder, same)
    assert (drift.found, drift.texts) == (False, 60)
    assert [m.name for m in drift.measures] == [
        *("words", "lengths", "unknown pieces", "predicted labels", "confidence"),
    ]


def test_texts_of_another_kind(finished, other):
    drift = find_drift(finished.folder, other)
    names = {measure.name for measure in drift.measures if measure.is_drift}
    assert {"words", "lengths"} <= names
    assert drift.to_dict()["drift"] is True


def test_a_run_without_a_profile_reads_its_data(finished, same):
    data = {name: value for name, value in finished.classifier.data.items() if name != PROFILE}
    bare = dataclasses.replace(finished.classifier, data=data)
    with_data, stored = (find_drift(run, same) for run in (bare, finished.folder))
    for made, read in zip(with_data.measures, stored.measures, strict=True):
        assert made.size == pytest.approx(read.size, abs=1e-4)


def test_a_run_without_profile_and_data_says_what_to_do(finished, same, tmp_path):
    config = finished.classifier.config.replace(train_file=str(tmp_path / "gone.csv"))
    bare = dataclasses.replace(finished.classifier, data={}, config=config)
    with pytest.raises(DataError, match=r"gone\.csv.*got no such file; put it back"):
        find_drift(bare, same)


def test_blank_texts_do_not_count(finished, same):
    assert find_drift(finished.folder, [*same, " ", ""]).texts == 60


def test_too_few_texts_are_an_error(finished, same):
    with pytest.raises(DataError, match="expected at least 20 texts to compare, got 3"):
        find_drift(finished.folder, same[:3])


def test_a_folder_that_is_no_run(tmp_path, same):
    with pytest.raises(ModelError, match="expected a run folder"):
        find_drift(tmp_path / "none", same)


def test_a_missing_language_model_is_told(finished, same, tmp_path):
    config = finished.classifier.config.replace(init_from=str(tmp_path / "gone"))
    drift = find_drift(dataclasses.replace(finished.classifier, config=config), same)
    assert "the language model" in drift.notes[0]
    assert "likelihood" not in {measure.name for measure in drift.measures}
