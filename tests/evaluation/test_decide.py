"""The decisions of a finished run, fitted without a training."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import pytest
from tiny import Run, finished_run, not_none

import textrnn
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.inference import run_files, run_folder
from textrnn.runtime.decision_rule import DecisionRule

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    finished: Run = finished_run(tmp_path_factory)
    return shutil.copytree(finished.folder, tmp_path / "run")


def cost_file(folder: Path) -> str:
    path = folder / "costs.csv"
    path.write_text("true,neg,pos\nneg,0,0\npos,5,0\n")
    return str(path)


def test_a_run_obeys_its_new_decisions_everywhere(run: Path, tmp_path: Path) -> None:
    before = textrnn.load(run)
    decided = textrnn.decide(run, objective="cost", cost_matrix=cost_file(tmp_path))
    # No answer costs less than pos, whatever the text.
    assert decided.rule == DecisionRule("cost", costs=((0, 0), (5, 0)))
    loaded = textrnn.load(run)
    assert loaded.rule == decided.rule
    texts = ["a x b", "y b"]
    assert [p.labels for p in loaded.predict(texts)] == [("pos",)] * 2
    assert (loaded.probabilities(texts) == before.probabilities(texts)).all()
    measured = textrnn.evaluate(run)
    assert measured.mean_cost == loaded.metrics["test"]["mean_cost"] == 0.0
    assert measured.accuracy == loaded.metrics["test"]["accuracy"]


def test_only_the_limit_for_answers_changes_without_an_objective(run: Path) -> None:
    first = textrnn.decide(run, objective="balanced-accuracy")
    second = textrnn.decide(run, abstain_below=0.9)
    assert second.rule == DecisionRule(
        "balanced-accuracy", weights=first.rule.weights, abstain_below=0.9
    )
    assert second.metrics["test"]["abstention"]["abstain_below"] == 0.9
    third = textrnn.decide(run, objective="accuracy")
    assert third.rule == DecisionRule(abstain_below=0.9)


def test_answers_below_the_limit_have_no_label(run: Path) -> None:
    careful = textrnn.load(run).abstaining(0.999999)
    (prediction,) = careful.predict(["a"])
    assert (prediction.labels, prediction.abstained) == ((), True)
    assert prediction.to_dict()["label"] is None
    assert prediction.to_dict()["reason"] == "abstained"
    measured = textrnn.evaluate(run, abstain_below=0.999999)
    assert not_none(not_none(measured.abstention)["coverage"]) < 1.0
    assert measured.accuracy == textrnn.evaluate(run).accuracy
    with pytest.raises(ConfigError, match="`abstain_below` must be at least 0"):
        careful.abstaining(1.0)


def test_a_wrong_request_changes_nothing(run: Path) -> None:
    before = (run / "decisions.json").read_bytes()
    with pytest.raises(DataError, match="expected `objective_label` to be one of neg, pos"):
        textrnn.decide(run, objective="recall@0.9", objective_label="x")
    with pytest.raises(ConfigError, match=r"precision@0\.5 needs `objective_label`"):
        textrnn.decide(run, objective="precision@0.5")
    with pytest.raises(ConfigError, match="expected settings of the data, got `epochs`"):
        textrnn.decide(run, objective="accuracy", epochs=3)
    assert (run / "decisions.json").read_bytes() == before


def test_without_its_test_data_a_run_loses_those_figures(run: Path) -> None:
    config = (run / "config.yaml").read_text()
    test_file = textrnn.load(run).config.data.test_file
    assert test_file is not None
    run_files.replace_file(run, "config.yaml", config.replace(test_file, "/none/test.csv"))
    decided = textrnn.decide(run, objective="macro-f1")
    assert "test" not in decided.metrics
    assert decided.metrics["validation"]["texts"] == 4


def test_a_run_of_an_earlier_version_has_the_default_rule(run: Path) -> None:
    (run / "decisions.json").unlink()
    record = json.loads((run / "digests.json").read_text())
    del record["sha256"]["decisions.json"]
    (run / "digests.json").write_text(json.dumps(record))
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["calibration"] = {"temperature": 3.0}
    run_files.replace_file(run, "metrics.json", json.dumps(metrics))
    loaded = textrnn.load(run)
    assert (loaded.rule, loaded.temperature) == (DecisionRule(), 1.0)
    assert textrnn.evaluate(run).uncalibrated is None
    assert textrnn.decide(run, abstain_below=0.5).rule.abstain_below == 0.5
    assert textrnn.load(run).rule.abstain_below == 0.5


class Killed(BaseException):
    pass


def test_a_kill_leaves_the_old_or_the_new_file(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = run_folder.decisions_text(textrnn.load(run).abstaining(0.5))
    limits = []
    for k in range(4):
        left = iter(range(k, -1, -1))

        def step(path: Path, target: Path, left=left, replace=Path.replace) -> Path:
            if next(left) == 0:
                raise Killed
            return replace(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", step)
            with contextlib.suppress(Killed):
                run_files.replace_file(run, run_folder.DECISIONS, new)
        limits.append(textrnn.load(run).rule.abstain_below)
    assert limits == [0.0, 0.0, 0.5, 0.5]


def test_damaged_decisions_are_told(run: Path) -> None:
    run_files.replace_file(run, run_folder.DECISIONS, '{"objective": "x", "weights": {"neg": 1}}')
    with pytest.raises(ModelError, match="expected a rule for each label"):
        textrnn.load(run)
