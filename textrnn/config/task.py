"""The settings of the labels and of their number per text."""

from __future__ import annotations

from dataclasses import dataclass

from textrnn.config.section import Section, setting
from textrnn.errors import ConfigError

__all__ = ["TaskConfig"]


@dataclass(frozen=True)
class TaskConfig(Section):
    """The kind of prediction: one label per text, or any number of labels."""

    multi_label: bool = setting(False, "A text may carry any number of labels.", common=True)
    label_separator: str = setting(
        ",", "Separator between the labels of one text, with --multi-label."
    )
    label_columns: str | None = setting(
        None,
        "Columns of 0 and 1, one per label, such as toxic,insult, in place of --label-column.",
    )
    label_names: str | None = setting(
        None,
        "Names of the labels, such as toxic,insult, when a label cell is a vector of 0 and 1.",
    )
    check_labels: bool = setting(
        True,
        "Refuse labels that look like a mistake: combinations, numbers of a scale, a column of "
        "texts, sub-folders that are splits.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_columns is not None and self.label_names is not None:
            raise ConfigError("give either `label_columns` or `label_names`, not both.")
        if not self.label_separator:
            raise ConfigError("`label_separator` must be at least one character, got ''.")
