"""The models that are served, in their versions, and the exchange of versions while they serve."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

from ..errors import ConfigError, TextRNNError
from .batching import Batcher
from .errors import RequestError
from .metrics import Metrics
from .model import Load, Model
from .settings import ServeSettings
from .versions import ModelSource, VersionFolder, version_folders

__all__ = ["ModelStore", "ServedModel", "ServedVersion"]

_log = logging.getLogger("textrnn.serve")


@dataclass(frozen=True, eq=False)
class ServedVersion:
    """One version of a model, loaded.

    A request holds the version while it is answered. A version that was replaced is freed when the
    last of its requests is finished.

    Attributes:
        name: The name of the model.
        found: The number of the version, and its folder.
        model: The model.
        batcher: Answers texts with the model.
    """

    name: str
    found: VersionFolder
    model: Model
    batcher: Batcher

    @property
    def version(self) -> int:
        """The number of the version."""
        return self.found.version


@dataclass(eq=False)
class ServedModel:
    """A model by its name.

    Attributes:
        source: The name and the folder.
        versions: The versions that are served, the newest first.
        failures: The versions that could not be loaded, with the reason.
    """

    source: ModelSource
    versions: tuple[ServedVersion, ...] = ()
    failures: dict[VersionFolder, str] = field(default_factory=dict)


class ModelStore:
    """Finds models and versions by name, and exchanges versions.

    Args:
        sources: The models.
        load: Loads a run folder.
        settings: The settings of the server.
        threads: Runs the models.
        metrics: The metrics of the process.

    Raises:
        ConfigError: Two models have one name.
    """

    def __init__(
        self,
        sources: Sequence[ModelSource],
        load: Load,
        *,
        settings: ServeSettings,
        threads: Executor,
        metrics: Metrics,
    ) -> None:
        self._load, self._settings = load, settings
        self._threads, self._metrics = threads, metrics
        self._models: dict[str, ServedModel] = {}
        for source in sources:
            if source.name in self._models:
                other = self._models[source.name].source.folder
                raise ConfigError(
                    f"expected models of different names, got {source.name!r} for {other} and "
                    f"{source.folder}; pass NAME=RUN."
                )
            self._models[source.name] = ServedModel(source)

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._models.values())

    @property
    def is_ready(self) -> bool:
        """Whether every model has a version that is served."""
        return all(model.versions for model in self)

    def load_all(self) -> None:
        """Loads the newest versions of all models.

        Raises:
            TextRNNError: A model has no version that can be loaded.
        """
        for model in self:
            folders = self._wanted(model)
            if not folders:
                version_folders(model.source.folder)
                raise ConfigError(
                    f"{model.source.folder}: expected a finished version, got none; finish the "
                    "training of one."
                )
            loaded = [self._loaded(model, folder) for folder in folders]
            self._exchange(model, loaded)

    def model(self, name: str) -> ServedModel:
        """Returns a model.

        Raises:
            RequestError: There is no such model; status 404.
        """
        if name not in self._models:
            raise RequestError(404, f"Servable not found for request: Latest({name})")
        return self._models[name]

    def version(self, name: str, version: int | None = None) -> ServedVersion:
        """Returns a version of a model, by default the newest.

        Raises:
            RequestError: It is not served; status 404.
        """
        versions = self._models[name].versions if name in self._models else ()
        for served in versions:
            if version is None or served.version == version:
                return served
        asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise RequestError(404, f"Servable not found for request: {asked}")

    def refresh(self, replace: Callable[[Callable[[], None]], None]) -> None:
        """Loads new versions and replaces old ones, in a thread beside the event loop.

        A version that cannot be loaded is logged and tried again when its folder changes; the
        versions that are served stay.

        Args:
            replace: Calls a function in the event loop.
        """
        for model in self:
            try:
                folders = self._wanted(model)
            except (TextRNNError, OSError) as error:
                _log.warning("%s: %s; its versions stay", model.source.name, error)
                continue
            model.failures = {f: why for f, why in model.failures.items() if f in folders}
            served = {version.found: version for version in model.versions}
            if not folders or set(folders) == set(served):
                continue
            loaded = []
            for folder in folders:
                if folder in served:
                    loaded.append(served[folder])
                elif folder not in model.failures and (new := self._try(model, folder)):
                    loaded.append(new)
            complete = len(loaded) == len(folders)
            kept = [] if complete else [v for v in model.versions if v not in loaded]
            keep = self._settings.versions.served_versions
            loaded = sorted([*loaded, *kept], key=lambda v: -v.version)[:keep]
            if loaded != list(model.versions):
                replace(partial(self._exchange, model, loaded))

    def _wanted(self, model: ServedModel) -> list[VersionFolder]:
        folders = version_folders(model.source.folder)
        return folders[: self._settings.versions.served_versions]

    def _loaded(self, model: ServedModel, folder: VersionFolder) -> ServedVersion:
        name = model.source.name
        loaded = self._load(folder.folder)
        batcher = Batcher(
            loaded,
            self._threads,
            settings=self._settings.batching,
            metrics=self._metrics.of_model(name),
        )
        return ServedVersion(name, folder, loaded, batcher)

    def _try(self, model: ServedModel, folder: VersionFolder) -> ServedVersion | None:
        """Loads a version; a failure is noted, and nothing returned."""
        try:
            return self._loaded(model, folder)
        except Exception as error:
            self._metrics.failures.labels(model.source.name).inc()
            # Replaced, not changed: the event loop may be reading it.
            model.failures = {**model.failures, folder: str(error)}
            expected = isinstance(error, TextRNNError | OSError)
            _log.error(
                "%s: version %d cannot be loaded: %s",
                *(model.source.name, folder.version, error),
                exc_info=None if expected else error,
            )
            return None

    def _exchange(self, model: ServedModel, versions: Sequence[ServedVersion]) -> None:
        """Serves other versions of a model from now on, in the event loop."""
        numbers = ", ".join(str(version.version) for version in versions)
        _log.info("%s: serving version %s", model.source.name, numbers)
        model.versions = tuple(versions)
        self._metrics.version.labels(model.source.name).set(versions[0].version)
