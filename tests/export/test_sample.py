import pytest
from tiny import finished_run

from textrnn.errors import ConfigError
from textrnn.export.sample import VerificationSample


def test_validation_texts_of_the_run_are_drawn_by_its_seed(tmp_path_factory):
    run = finished_run(tmp_path_factory)
    sample, again = (VerificationSample.of_run(run.folder, count=3) for _ in range(2))
    assert sample == again
    assert len(sample.texts) == len(sample.targets) == 3
    labels = [run.classifier.labels[place] for place in sample.targets]
    assert set(labels) <= {"neg", "pos"}


def test_other_data_may_be_named(tmp_path_factory):
    run = finished_run(tmp_path_factory)
    test_file = run.config.data.test_file
    sample = VerificationSample.of_run(run.folder, valid_file=test_file)
    assert len(sample.texts) == 10
    with pytest.raises(ConfigError, match="expected settings of the data, got `units`"):
        VerificationSample.of_run(run.folder, units=3)
