"""The options of an export."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textrnn.config.choices import EXPORT_KINDS, EXPORT_PRECISIONS
from textrnn.config.section import suggestion
from textrnn.errors import ConfigError

__all__ = ["ExportOptions"]

_QUANTISED = EXPORT_PRECISIONS[1:]


@dataclass(frozen=True)
class ExportOptions:
    """The options of an export. A single format, length or precision, or a list, is made a tuple.

    Attributes:
        formats: The formats to make, of `EXPORT_KINDS`.
        lengths: The lengths T of the TFLite files, in tokens. Every format has the first length;
            each further length makes one more file `model_T.tflite`.
        form: The form of the recurrences in TFLite; see `textrnn.export.graphs.recurrence_forms`.
        precisions: The precisions of `model.tflite` in addition to float32; see
            `textrnn.export.workers.tflite_conversion`.
        name: The name by which a server knows the model.
        version: The version number of the model.
        plain_ops: Whether the SavedModel tokenises texts with TensorFlow's core operations alone.
        language_model: The run folder of a language model for the page of the format `web`, which
            then shows how surprising each word is; None: without.

    Raises:
        ConfigError: An option has a value that is not allowed.

    >>> ExportOptions(formats="onnx", lengths=[64, 128]).lengths
    (64, 128)
    """

    formats: tuple[str, ...] = EXPORT_KINDS
    lengths: tuple[int, ...] = (256,)
    form: str = "auto"
    precisions: tuple[str, ...] = _QUANTISED
    name: str = "textrnn"
    version: int = 1
    plain_ops: bool = False
    language_model: str | Path | None = None

    def __post_init__(self) -> None:
        for name in ("formats", "lengths", "precisions"):
            value = getattr(self, name)
            several = (value,) if isinstance(value, str | int) else tuple(value)
            object.__setattr__(self, name, several)
        for name, chosen, known in (
            ("formats", self.formats, EXPORT_KINDS),
            ("precisions", self.precisions, _QUANTISED),
        ):
            unknown = sorted(set(chosen) - set(known))
            if unknown:
                raise ConfigError(f"`{name}` must be of {', '.join(known)}, got {unknown[0]!r}.")
        if not self.lengths or min(self.lengths) < 1:
            raise ConfigError(f"`lengths` must be positive integers, got {self.lengths}.")
        if self.version < 1:
            raise ConfigError(f"`version` must be a positive integer, got {self.version}.")
        if not self.name or "/" in self.name or self.name.startswith("."):
            raise ConfigError(f"`name` must be the name of a folder, got {self.name!r}.")

    def replace(self, **settings: Any) -> ExportOptions:
        """Returns the options with some of them replaced.

        Raises:
            ConfigError: An option is unknown or has a value that is not allowed.
        """
        known = [field.name for field in dataclasses.fields(self)]
        for name in settings:
            if name not in known:
                hint = suggestion(name, known) or f"; known: {', '.join(known)}."
                raise ConfigError(f"unknown option {name} of an export{hint}")
        return dataclasses.replace(self, **settings)
