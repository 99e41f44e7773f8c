"""A saved run loads with the same contents, and a kill leaves no partial run."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny import LABELS, Run, finished_run

import textrnn
from textrnn.errors import ModelError
from textrnn.inference import run_folder

FILES = {
    "config.yaml",
    "model.weights.h5",
    "runtime.safetensors",
    "tokenizer.model",
    "labels.txt",
    "metrics.json",
    "data.json",
    "decisions.json",
    "digests.json",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Run:
    return finished_run(tmp_path_factory)


def test_what_is_saved_is_loaded(finished, tmp_path):
    run_folder.save(finished.classifier, tmp_path / "a" / "b")
    loaded = run_folder.load(tmp_path / "a" / "b")
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == FILES
    for first, second in zip(
        loaded.model.get_weights(), finished.classifier.model.get_weights(), strict=True
    ):
        assert first.tobytes() == second.tobytes()
    # Whatever other models this process has made, whose layers Keras counts.
    run_folder.save(loaded, tmp_path / "again")
    for name in FILES:
        written = [(tmp_path / folder_name / name).read_bytes() for folder_name in ("a/b", "again")]
        assert written[0] == written[1]
    assert loaded.tokenizer.to_bytes() == finished.classifier.tokenizer.to_bytes()
    assert (loaded.labels, loaded.config) == (LABELS, finished.config)
    assert loaded.metrics == finished.classifier.metrics


class Killed(BaseException):
    pass


def test_a_kill_at_any_step_leaves_a_whole_run_folder_or_an_unfinished_one(
    finished, tmp_path, monkeypatch
):
    """Each new file appears by a `replace`; the run is killed at the k-th of them."""
    for k in range(20):
        folder = shutil.copytree(finished.folder, tmp_path / str(k))
        left = iter(range(k, -1, -1))

        def counted(replace, left=left):
            def step(*paths):
                if next(left) == 0:
                    raise Killed
                return replace(*paths)

            return step

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", counted(Path.replace))
            patch.setattr(run_folder, "os", SimpleNamespace(replace=counted(os.replace)))
            try:
                run_folder.save(finished.classifier, folder)
            except Killed:
                with pytest.raises(ModelError, match="this run is not finished"):
                    run_folder.load(folder)
            else:
                break
    assert k == len(FILES)
    assert run_folder.load(folder).labels == LABELS


def test_labels_keep_their_order_and_letters(finished, tmp_path):
    ours = finished.classifier
    odd = textrnn.inference.classifier.TrainedClassifier(
        ours.model, ours.tokenizer, ("b, a", 'é "x"\u2028'[:-1]), ours.config
    )
    run_folder.save(odd, tmp_path)
    assert run_folder.load(tmp_path).labels == odd.labels
