"""Checks a data set: what a training would meet in it, and what its figures would be worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textrnn.analysis.data_check.checked_split import CheckedSplit, read_splits
from textrnn.analysis.data_check.class_sizes import check_class_sizes, class_counts
from textrnn.analysis.data_check.damage import check_damage
from textrnn.analysis.data_check.findings import SEVERITIES, Finding, most_severe_first
from textrnn.analysis.data_check.judge import LabelJudge
from textrnn.analysis.data_check.label_names import check_label_names
from textrnn.analysis.data_check.lengths import check_lengths, lengths
from textrnn.analysis.data_check.near_duplicates import MOST_TEXTS
from textrnn.analysis.data_check.personal_data import check_personal_data
from textrnn.analysis.data_check.repeats import Repeat, check_repeats, find_repeats
from textrnn.analysis.data_check.scripts import check_scripts, script_shares
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.text_files import stem
from textrnn.progress import Reporter, Silent

if TYPE_CHECKING:
    from textrnn.analysis.data_check.label_errors import LabelErrors

__all__ = ["DataCheck", "check_data"]


@dataclass(frozen=True)
class DataCheck:
    """The results of a check.

    Attributes:
        name: The name of the data.
        splits: The splits, the training data first.
        findings: What was found, the most severe first.
        classes: The number of texts of each class in each split, the largest class first.
        lengths: The lengths of each split in `characters` and `words`.
        scripts: The share of the letters of each script in each split.
        repeats: Each text that repeats an earlier one.
        label_errors: The ranked labels of the training data; None if they were not ranked.
    """

    name: str
    splits: Sequence[CheckedSplit]
    findings: tuple[Finding, ...]
    classes: Mapping[str, Mapping[str, int]]
    lengths: Mapping[str, Mapping[str, Mapping[str, float]]]
    scripts: Mapping[str, Mapping[str, float]]
    repeats: Sequence[Repeat]
    label_errors: LabelErrors | None = None

    @property
    def counts(self) -> dict[str, int]:
        """The number of findings of each severity."""
        severities = [finding.severity for finding in self.findings]
        return {severity: severities.count(severity) for severity in SEVERITIES}

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON; texts are left out."""
        ranked = None
        if self.label_errors is not None:
            ranked = {
                "source": self.label_errors.source,
                "texts": self.label_errors.texts,
                "probable": self.label_errors.probable,
                "agreement": self.label_errors.agreement,
                "ranked": [
                    {name: value for name, value in row.items() if name != "text"}
                    for row in self.label_errors.rows()
                ],
            }
        return {
            "name": self.name,
            "texts": {split.name: len(split) for split in self.splits},
            "encodings": {split.name: split.encoding for split in self.splits if split.encoding},
            "counts": self.counts,
            "findings": [finding.to_dict() for finding in self.findings],
            "classes": {label: dict(counts) for label, counts in self.classes.items()},
            "lengths": {name: dict(values) for name, values in self.lengths.items()},
            "scripts": {name: dict(shares) for name, shares in self.scripts.items()},
            "label_errors": ranked,
        }


def check_data(
    config: ClassifierRunConfig,
    *,
    near_duplicates: bool = True,
    judge: LabelJudge | None = None,
    reporter: Reporter | None = None,
) -> DataCheck:
    """Checks the data that the settings name.

    Example:
        config = ClassifierRunConfig.of(train_file="tickets.csv", test_file="new.csv")
        for finding in check_data(config).findings:
            print(finding.severity, finding.message)

    Args:
        config: The settings of the data and of its labels.
        near_duplicates: Whether to look for near-duplicates too, which takes most of the time.
        judge: The models that rank the labels; None: the labels are not ranked.
        reporter: Receives the progress; None: nothing is reported.

    Raises:
        DataError: A file cannot be read, or has no row that can be used.
        ConfigError: The settings do not fit the data, or a package is missing.
        ModelError: The run that is to rank the labels cannot be loaded.
    """
    reporter = reporter or Silent()
    if judge:
        from textrnn.analysis.data_check.label_errors import check_cleanlab

        check_cleanlab()  # Its absence must not be found after minutes of other work.
    with reporter.wait("reading the data"):
        splits = read_splits(config)
    total = sum(map(len, splits))
    findings = [finding for split in splits for finding in split.findings]
    if near_duplicates and total > MOST_TEXTS:
        near_duplicates = False
        findings.append(_too_many(total))
    with reporter.step("looking for duplicates", total=total) as advance:
        repeats = find_repeats(splits, near=near_duplicates, on_progress=advance)
    with reporter.wait("looking at the texts"):
        findings += check_class_sizes(splits, multi_label=config.task.multi_label)
        findings += check_label_names(splits[0])
        findings += check_repeats(splits, repeats)
        for split in splits:
            for look in (check_lengths, check_damage, check_scripts, check_personal_data):
                findings += look(split)
    label_errors = None
    if judge:
        from textrnn.analysis.data_check.suspects import find_label_errors

        label_errors = find_label_errors(
            splits[0], judge, config=config, repeats=repeats, reporter=reporter
        )
        findings += label_errors.findings()
    return DataCheck(
        name=stem(config.data.train_file) if config.data.train_file else str(config.data.dataset),
        splits=splits,
        findings=most_severe_first(findings),
        classes=class_counts(splits),
        lengths={split.name: lengths(split) for split in splits},
        scripts={split.name: script_shares(split.texts) for split in splits},
        repeats=repeats,
        label_errors=label_errors,
    )


def _too_many(total: int) -> Finding:
    return Finding(
        "near_duplicates_skipped",
        "info",
        "",
        f"Near-duplicates were not looked for among {total:,} texts, because more than "
        f"{MOST_TEXTS:,} need too much memory.",
        "Check a part of the data.",
        count=total,
    )
