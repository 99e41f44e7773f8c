"""Run folders that are damaged, incomplete or no run folders are refused."""

import hashlib
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import yaml
from tiny import Run, finished_run

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import run_folder

CHECKED = ("config.yaml", "model.weights.h5", "tokenizer.model", "labels.txt", "metrics.json")


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Run:
    return finished_run(tmp_path_factory)


@pytest.fixture
def folder(finished: Run, tmp_path: Path) -> Path:
    """A copy of the finished run, to be damaged."""
    return shutil.copytree(finished.folder, tmp_path / "run")


def seal(folder: Path, **changes) -> None:
    """Makes the digests fit the files as they are now."""
    record = json.loads((folder / "digests.json").read_text())
    for name in CHECKED:
        record["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "digests.json").write_text(json.dumps(record | changes))


def refusal(folder: Path) -> str:
    """Why the folder is not loaded: one line."""
    with pytest.raises(ModelError) as info:
        run_folder.load(folder)
    assert "\n" not in str(info.value)
    return str(info.value)


# Damage


@pytest.mark.parametrize("name", CHECKED)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert refusal(folder) == f"{folder / name}: missing; copy the run folder again."


@pytest.mark.parametrize("name", CHECKED)
@pytest.mark.parametrize("cut", [1, 10])
def test_a_truncated_file_is_named(folder, name, cut):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-cut])
    assert refusal(folder).startswith(f"{folder / name}: changed or cut short")


@pytest.mark.parametrize("name", CHECKED)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.999])
def test_a_flipped_bit_is_noticed(folder, name, share):
    content = bytearray((folder / name).read_bytes())
    content[int(len(content) * share)] ^= 1
    (folder / name).write_bytes(content)
    assert refusal(folder).startswith(f"{folder / name}: changed or cut short")


@pytest.mark.parametrize("name", CHECKED)
def test_a_longer_file_is_noticed(folder, name):
    with (folder / name).open("ab") as file:
        file.write(b"\n")
    assert refusal(folder).startswith(f"{folder / name}: changed or cut short")


def test_edited_settings_are_noticed(folder):
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("lowercase: true", "lowercase: false"))
    assert refusal(folder).startswith(f"{path}: changed")


@pytest.mark.thorough
def test_no_bit_of_the_digests_can_be_flipped(folder):
    content = (folder / "digests.json").read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        (folder / "digests.json").write_bytes(changed)
        assert str(folder) in refusal(folder)


def test_the_digests_cannot_be_cut(folder):
    content = (folder / "digests.json").read_bytes().rstrip()
    for length in range(0, len(content), 7):
        (folder / "digests.json").write_bytes(content[:length])
        assert refusal(folder).startswith(f"{folder / 'digests.json'}: not readable; copy")


@pytest.mark.parametrize("record", ["[]", "3", "{}", '{"format_version": 2, "sha256": 3}', "\xff"])
def test_digests_of_another_form_are_an_error(folder, record):
    (folder / "digests.json").write_bytes(record.encode("latin-1"))
    assert refusal(folder).startswith(f"{folder / 'digests.json'}: not readable; copy")


@pytest.mark.parametrize("name", CHECKED)
def test_a_file_without_a_digest_is_not_trusted(folder, name):
    record = json.loads((folder / "digests.json").read_text())
    del record["sha256"][name]
    (folder / "digests.json").write_text(json.dumps(record))
    assert refusal(folder).startswith(f"{folder / name}: changed")


@pytest.mark.parametrize("version", [0, 1, 3, "2", None])
def test_another_format_version_is_named(folder, version):
    seal(folder, format_version=version)
    assert refusal(folder).startswith(f"{folder}: expected format version 2, got {version!r}; load")


def test_another_format_version_of_the_settings_is_named(folder):
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("format_version: 2", "format_version: 1"))
    seal(folder)
    assert refusal(folder).startswith(f"{path}: expected format version 2, got 1; load it with")


# Folders that are no run


def test_a_missing_folder_is_an_error(tmp_path):
    assert refusal(tmp_path / "none").startswith(f"{tmp_path / 'none'}: expected a run folder, fou")


def test_a_file_is_no_run_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "expected a run folder" in refusal(tmp_path / "file")


def test_another_folder_is_an_error(tmp_path):
    (tmp_path / "photo.jpg").touch()
    assert refusal(tmp_path).endswith("got one without config.yaml and digests.json.")


def test_an_unfinished_run_says_how_to_continue(folder):
    (folder / "digests.json").unlink()
    (folder / "checkpoints" / "epoch-1").mkdir(parents=True)
    assert refusal(folder) == (
        f"{folder}: this run is not finished; continue with: "
        f"textrnn train --resume --output {folder}"
    )


def test_an_unfinished_run_of_another_version_is_not_to_be_started_again(tmp_path):
    run_folder.begin(tmp_path / "run", ClassifierRunConfig())
    path = tmp_path / "run" / "config.yaml"
    path.write_text(path.read_text().replace("format_version: 2", "format_version: 1"))
    assert "expected format version 2, got 1" in refusal(tmp_path / "run")


def test_a_run_that_ended_before_its_first_checkpoint_says_how_to_begin_again(folder):
    (folder / "digests.json").unlink()
    (folder / "checkpoints").mkdir()
    message = refusal(folder)
    assert (
        "this run is not finished, and has no checkpoint to continue from; start it again"
        in message
    )
    assert message.endswith(f"--config {folder / 'config.yaml'} --output {folder} --overwrite")


# Files that fit their digests and not each other


def test_weights_of_another_shape_are_an_error(folder):
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("\n  units: 3\n", "\n  units: 4\n"))
    seal(folder)
    assert refusal(folder).startswith(f"{folder / 'model.weights.h5'}: its weights do not fit conf")


def test_weights_of_another_model_are_an_error(folder):
    second = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    second.save_weights(folder / "model.weights.h5")
    seal(folder)
    assert "its weights do not fit config.yaml" in refusal(folder)


def test_labels_of_another_number_are_an_error(folder):
    (folder / "labels.txt").write_text("one\ntwo\nthree\n")
    seal(folder)
    assert "its weights do not fit config.yaml" in refusal(folder)


def test_a_broken_tokenizer_is_an_error(folder):
    (folder / "tokenizer.model").write_bytes(b"garbage")
    seal(folder)
    assert refusal(folder)


# Nothing is executed


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_in_the_place_of_weights_is_not_opened(folder, tmp_path):
    (folder / "model.weights.h5").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    seal(folder)
    assert "its weights do not fit" in refusal(folder)
    assert not (tmp_path / "sprung").exists()


def test_a_model_with_code_in_the_place_of_weights_is_not_run(folder, tmp_path):
    layer = {"class_name": "Lambda", "config": {"function": f"open({str(tmp_path / 'x')!r}, 'w')"}}
    with zipfile.ZipFile(folder / "model.weights.h5", "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": layer}))
        archive.writestr("metadata.json", "{}")
    seal(folder)
    assert "its weights do not fit" in refusal(folder)
    assert not (tmp_path / "x").exists()


def test_a_pickled_object_among_the_weights_is_not_opened(folder, tmp_path):
    trap = np.void(pickle.dumps(Trap(tmp_path / "sprung")))
    with h5py.File(folder / "model.weights.h5", "a") as file:
        group = file["classify/vars"] if "classify/vars" in file else file["layers/dense/vars"]
        del group["0"]
        group["0"] = trap
    seal(folder)
    assert refusal(folder)
    assert not (tmp_path / "sprung").exists()


def test_a_module_in_the_folder_is_not_executed(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))
    (folder / "my_cells.py").write_text("raise SystemExit('executed')")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["model"] |= {"cell": "mine>Cell", "imports": "my_cells"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    seal(folder)
    reason = refusal(folder)
    assert reason.startswith(f"{folder / 'config.yaml'}: `imports` must name modules outside of")


def test_settings_hold_only_plain_values(folder, tmp_path):
    path = folder / "config.yaml"
    trap = (
        f"!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [{path}x]]"
    )
    path.write_text(path.read_text() + f"extra: {trap}\n")
    seal(folder)
    with pytest.raises(
        ConfigError,
        match=r"config\.yaml, line \d+, column \d+: expected YAML, got: could not determine",
    ):
        run_folder.load(folder)
    assert not Path(f"{path}x").exists()
