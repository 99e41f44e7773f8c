import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tiny import QUIET, labelled_texts, run_config, write_csv

from textrnn.errors import ConfigError
from textrnn.inference import run_folder
from textrnn.training.search.child import Ended, Training, carry_out
from textrnn.training.search.runner import OneByOne
from textrnn.training.search.vary import train_all, varied


class Trainings:
    """Replaces the processes: each call writes a finished run, except the run `fail_at`."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.fail_at = ""

    def __call__(self, config: Path, run: Path, *, log: Path, options: Sequence[str]) -> int:
        assert list(options) == ["--resume-or-start"]
        self.runs.append(run.name)
        if run.name == self.fail_at:
            log.write_text("textrnn: error: no room\n")
            return 1
        run_folder.begin(run, run_folder.load_config(config))
        (run / run_folder.DIGESTS).write_text(json.dumps({}))
        # A name that is not UTF-8.
        log.write_bytes(b"run folder \xff\ntest accuracy 50.00%\n")
        return 0


@pytest.fixture
def trainings() -> Trainings:
    return Trainings()


@pytest.fixture
def config(tmp_path):
    return run_config(write_csv(tmp_path / "letters.csv", labelled_texts(4)))


def test_only_the_setting_differs(config):
    configs = varied(config, setting="head", values=["last", "mean"])
    assert list(configs) == ["head=last", "head=mean"]
    for head, varied_config in zip(("last", "mean"), configs.values(), strict=True):
        wanted = config.to_dict()
        wanted["model"]["head"] = head
        assert varied_config.to_dict() == wanted


def test_auto_and_paths_have_names_too(config):
    assert list(varied(config, setting="epochs", values=[None, 3])) == ["epochs=auto", "epochs=3"]


@pytest.mark.parametrize(
    ("setting", "values", "message"),
    [
        ("colour", ["red", "blue"], "expected a setting to vary .*, got 'colour'"),
        ("dataset", ["imdb", "bbc_news"], "got 'dataset'"),
        ("head", ["last"], "at least two different values of `head`"),
        ("head", ["last", "last", "mean"], "at least two different values"),
        ("head", ["last", "tail"], "`head` must be one of"),
    ],
)
def test_what_cannot_be_varied(config, setting, values, message):
    with pytest.raises(ConfigError, match=message):
        varied(config, setting=setting, values=values)


def test_each_is_trained_once(config, trainings, tmp_path):
    configs = varied(config, setting="units", values=[3, 4])
    runs = train_all(configs, tmp_path / "out", reporter=QUIET, runner=OneByOne(trainings))
    assert runs == [tmp_path / "out" / "units=3", tmp_path / "out" / "units=4"]
    assert run_folder.load_config(runs[1] / run_folder.CONFIG) == configs["units=4"]
    more = varied(config, setting="units", values=[3, 4, 5])
    train_all(more, tmp_path / "out", reporter=QUIET, runner=OneByOne(trainings))
    assert trainings.runs == ["units=3", "units=4", "units=5"]


def test_a_failure_is_reported_and_resumed(config, trainings, tmp_path):
    configs = varied(config, setting="units", values=[3, 4])
    trainings.fail_at = "units=4"
    with pytest.raises(ConfigError, match=r"units=4: the training failed \(.*no room\); see .*log"):
        train_all(configs, tmp_path / "out", reporter=QUIET, runner=OneByOne(trainings))
    trainings.fail_at = ""
    train_all(configs, tmp_path / "out", reporter=QUIET, runner=OneByOne(trainings))
    assert trainings.runs == ["units=3", "units=4", "units=4"]


def test_runs_of_other_settings_are_not_taken_for_these(config, trainings, tmp_path):
    train_all(
        varied(config, setting="units", values=[3, 4]),
        tmp_path / "out",
        reporter=QUIET,
        runner=OneByOne(trainings),
    )
    other_configs = varied(
        run_config(tmp_path / "letters.csv", epochs=2), setting="units", values=[3, 4]
    )
    with pytest.raises(ConfigError, match="units=3 contains a run with other settings; choose"):
        train_all(other_configs, tmp_path / "out", reporter=QUIET, runner=OneByOne(trainings))


def test_a_run_that_has_chosen_its_precision_is_not_trained_again(tmp_path):
    data = write_csv(tmp_path / "letters.csv", labelled_texts(4))
    configs = varied(run_config(data, precision="auto"), setting="units", values=[3, 4])
    runs: list[str] = []

    def finish(config: Path, run: Path, *, log: Path, options: Sequence[str]) -> int:
        runs.append(run.name)
        run_folder.begin(run, run_folder.load_config(config).replace(precision="bfloat16"))
        (run / run_folder.DIGESTS).write_text(json.dumps({}))
        log.touch()
        return 0

    for _ in range(2):
        train_all(configs, tmp_path / "out", reporter=QUIET, runner=OneByOne(finish))
    assert runs == ["units=3", "units=4"]


class AtTheSameTime:
    """Stands for a cluster: the training that was started last ends first."""

    parallel = 2

    def __init__(self, train: Trainings) -> None:
        self._train, self._running = train, dict[str, Training]()
        self.most = 0

    def start(self, name: str, training: Training) -> None:
        self._running[name] = training
        self.most = max(self.most, len(self._running))

    def next(self) -> tuple[str, Ended]:
        name, training = self._running.popitem()
        return name, carry_out(training, self._train)


def test_runs_may_end_in_any_order(config, trainings, tmp_path):
    configs = varied(config, setting="units", values=[3, 4, 5, 6])
    cluster = AtTheSameTime(trainings)
    runs = train_all(configs, tmp_path / "out", reporter=QUIET, runner=cluster)
    assert [run.name for run in runs] == list(configs)
    assert trainings.runs == ["units=4", "units=5", "units=6", "units=3"]
    assert cluster.most == 2
    for run, varied_config in zip(runs, configs.values(), strict=True):
        assert run_folder.load_config(run / run_folder.CONFIG) == varied_config
