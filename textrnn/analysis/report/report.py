"""Makes the report about a run: the results of all analyses, and the page that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from textrnn.analysis.dynamics.sampled_batches import Sample
from textrnn.analysis.report.page import report_page
from textrnn.analysis.report.summary import Summary, key_figures, summarize
from textrnn.errors import DataError
from textrnn.evaluation.labelled_data import LabelledData
from textrnn.evaluation.opened_run import OpenedRun
from textrnn.host.atomic import write_atomically
from textrnn.inference.classifier import TrainedClassifier
from textrnn.progress import Reporter

__all__ = ["Report", "report"]


@dataclass(frozen=True)
class Report:
    """A report about one run.

    Attributes:
        summary: The results of all analyses.
        is_own_data: Whether the texts come from the run's own data.
    """

    summary: Summary
    is_own_data: bool

    @property
    def key_figures(self) -> dict[str, str]:
        """The most important figures as text, by their names."""
        return key_figures(self.summary)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return self.summary.to_dict()

    def html(self) -> str:
        """Returns the page, which loads nothing from elsewhere."""
        return report_page(self.summary)

    def save(self, path: str | Path) -> None:
        """Writes the page.

        Args:
            path: The file; an existing file is replaced.

        Raises:
            DataError: The file cannot be written.
        """
        try:
            write_atomically(Path(path), self.html())
        except OSError as error:
            raise DataError(
                f"{path}: the report was not written ({error.strerror}); name another file."
            ) from None


def report(
    run: str | Path | TrainedClassifier,
    *,
    texts: Sequence[str] | None = None,
    labels: Sequence[str | Sequence[str]] | None = None,
    split: Literal["validation", "test"] | None = None,
    samples: int = 2000,
    reporter: Reporter | None = None,
    **settings: Any,
) -> Report:
    """Makes all analyses of a run on labelled texts that it was not trained on.

    Example:
        report = textrnn.report("runs/bbc_news", samples=500)
        report.save("report.html")
        report.summary.lyapunov.value.largest

    Args:
        run: A run folder, or a classifier that was loaded from one.
        texts: Texts to analyse, together with `labels`, in the place of a data set.
        labels: The label of each text, or its labels.
        split: Which part of the data is read, `validation` or `test`. None: the test texts, or the
            validation texts of a run that has no test texts.
        samples: How many of the texts are used, drawn at random; 0: all.
        reporter: Receives the progress and the notices; None: nothing is reported.
        **settings: Settings of the data and of its labels that replace those of the run, such as
            `test_file`.

    Raises:
        ModelError: The folder is no finished run of a classifier.
        DataError: The data cannot be read, or has a label that the run does not know.
        ConfigError: A setting is unknown or wrong.
    """
    opened = OpenedRun.of(run)
    source = LabelledData(split=split or "test", texts=texts, labels=labels, settings=settings)
    if split is None and not source.is_other_data and "test" not in opened.classifier.metrics:
        source = LabelledData(split="validation", settings=settings)
    labelled = source.read(opened.record, reporter=reporter)
    summary = summarize(
        opened,
        labelled,
        data=source.name(opened.record),
        sample=Sample(documents=samples, tokens=0, seed=opened.classifier.config.runtime.seed),
        reporter=reporter,
    )
    return Report(summary, is_own_data=not source.is_other_data)
