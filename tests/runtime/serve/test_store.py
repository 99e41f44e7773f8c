import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from letter_model import load, write_run

from textrnn.runtime.errors import ConfigError, ModelError
from textrnn.runtime.serve import ModelSource, ServeSettings
from textrnn.runtime.serve.errors import RequestError
from textrnn.runtime.serve.metrics import Metrics
from textrnn.runtime.serve.store import ModelStore


@pytest.fixture
def folder(tmp_path):
    """A model with version 1 of the labels a and b."""
    write_run(tmp_path / "model" / "1", labels="ab")
    return tmp_path / "model"


@pytest.fixture
def opened():
    """Opens a store of models."""
    with ThreadPoolExecutor(1) as threads:

        def make(*folders, load=load, **settings):
            return ModelStore(
                [ModelSource(folder.name, folder) for folder in folders],
                load,
                settings=ServeSettings.from_dict(settings),
                threads=threads,
                metrics=Metrics(),
            )

        yield make


@pytest.fixture
def store(opened, folder):
    store = opened(folder)
    store.load_all()
    return store


def refresh(store):
    store.refresh(lambda function: function())


def versions(store, name="model"):
    return [served.version for served in store.model(name).versions]


def test_the_newest_version_is_served(opened, folder):
    write_run(folder / "10")
    write_run(folder / "9")
    store = opened(folder)
    store.load_all()
    assert (versions(store), store.version("model").version) == ([10], 10)


def test_several_versions_are_served_if_wanted(opened, folder):
    for version in ("2", "3"):
        write_run(folder / version)
    store = opened(folder, served_versions=2)
    store.load_all()
    assert versions(store) == [3, 2]
    assert store.version("model", 2).version == 2
    with pytest.raises(RequestError, match="Specific\\(model, 1\\)"):
        store.version("model", 1)


def test_a_new_version_replaces_the_old_one(store, folder):
    write_run(folder / "2", labels="xyz")
    assert versions(store) == [1]
    refresh(store)
    assert versions(store) == [2]
    assert store.version("model").model.labels == ("x", "y", "z")


def test_nothing_changes_where_nothing_is_new(store):
    served = store.version("model")
    refresh(store)
    assert store.version("model") is served


def test_an_unfinished_version_is_not_touched(store, folder):
    (folder / "2").mkdir()
    refresh(store)
    assert versions(store) == [1]


def test_a_run_folder_that_was_replaced_is_loaded_again(opened, tmp_path):
    write_run(tmp_path / "run", labels="ab")
    store = opened(tmp_path / "run")
    store.load_all()
    (tmp_path / "run" / "digests.json").unlink()
    refresh(store)
    assert versions(store, "run") == [1]
    write_run(tmp_path / "run", labels="xyz")
    refresh(store)
    assert store.version("run").model.labels == ("x", "y", "z")


def test_a_version_that_was_removed_gives_way_to_the_one_before(store, folder):
    write_run(folder / "2")
    refresh(store)
    (folder / "2" / "digests.json").unlink()
    refresh(store)
    assert versions(store) == [1]


def test_a_broken_version_leaves_the_old_one_and_is_tried_once(opened, folder, caplog):
    loaded = []

    def counting(path):
        loaded.append(path.name)
        return load(path)

    store = opened(folder, load=counting)
    store.load_all()
    write_run(folder / "2", labels="broken")
    refresh(store)
    refresh(store)
    assert (loaded, versions(store)) == (["1", "2"], [1])
    assert "version 2 cannot be loaded" in caplog.text
    (reason,) = store.model("model").failures.values()
    assert "expected letters" in reason
    write_run(folder / "3")
    refresh(store)
    assert versions(store) == [3]


def test_a_folder_that_vanished_leaves_the_version(store, folder, caplog):
    folder.rename(folder.with_name("elsewhere"))
    refresh(store)
    assert versions(store) == [1]
    assert "its versions stay" in caplog.text


@pytest.mark.thorough
def test_the_old_version_is_freed_after_its_last_request(store, folder):
    held = store.version("model")
    old = weakref.ref(held.model)
    write_run(folder / "2")
    refresh(store)
    gc.collect()
    assert old() is not None
    del held
    gc.collect()
    assert old() is None


def test_a_store_is_ready_when_all_its_models_are_loaded(opened, folder):
    store = opened(folder)
    assert not store.is_ready
    store.load_all()
    assert store.is_ready


@pytest.mark.parametrize("broken", ["nothing", "unfinished", "broken"])
def test_a_model_that_cannot_be_loaded_at_the_start_is_an_error(opened, tmp_path, broken):
    folder = tmp_path / "model"
    if broken == "unfinished":
        (folder / "1").mkdir(parents=True)
    elif broken == "broken":
        write_run(folder / "1", labels="broken")
    with pytest.raises((ConfigError, ModelError), match="expected"):
        opened(folder).load_all()


def test_two_models_of_one_name_are_an_error(opened, tmp_path):
    with pytest.raises(ConfigError, match="NAME=RUN"):
        opened(tmp_path / "a" / "run", tmp_path / "b" / "run")
