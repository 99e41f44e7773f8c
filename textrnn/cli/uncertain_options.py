"""The options of a choice of the texts whose labels would teach the most."""

from __future__ import annotations

from dataclasses import dataclass

import click

from textrnn.cli.option_group import OptionGroup
from textrnn.config.choices import UNCERTAINTY_MEASURES

__all__ = ["UncertainOptions", "uncertain_options"]


@dataclass(frozen=True)
class UncertainOptions:
    """The values of the options that `uncertain_options` adds.

    Attributes:
        uncertain: The number of rows that are chosen; None: all rows are answered.
        measure: The measure of uncertainty; None: the first of `UNCERTAINTY_MEASURES`.
        diverse: Whether to choose rows that differ from each other.
    """

    uncertain: int | None = None
    measure: str | None = None
    diverse: bool = False

    @property
    def by(self) -> str:
        """The measure of uncertainty."""
        return self.measure or UNCERTAINTY_MEASURES[0]

    def check(self, *, has_file: bool, resume: bool) -> None:
        """Checks that the options suit each other and the source of the texts.

        Args:
            has_file: Whether the texts are those of a file or of stdin.
            resume: Whether the job is to continue an earlier one.

        Raises:
            click.UsageError: They do not.
        """
        if self.uncertain is None:
            if self != UncertainOptions():
                raise click.UsageError("--by and --diverse need --uncertain.")
        elif not has_file:
            raise click.UsageError("--uncertain needs --file, or - for stdin.")
        elif resume:
            raise click.UsageError("--resume continues a table of all rows, without --uncertain.")


uncertain_options = OptionGroup(
    UncertainOptions,
    click.option(
        "--uncertain",
        type=click.IntRange(min=1),
        metavar="N",
        help="Answer all rows, and keep only the N most uncertain ones, the most uncertain first: "
        "those to label next.",
    ),
    click.option(
        "--by",
        "measure",
        type=click.Choice(UNCERTAINTY_MEASURES),
        help="What --uncertain goes by: the difference of the two largest probabilities, the "
        "entropy of all, or the largest one.  [default: margin]",
    ),
    click.option(
        "--diverse",
        is_flag=True,
        help="With --uncertain: choose N rows that differ from each other, of the 10 N most "
        "uncertain ones.",
    ),
    name="choice",
)
"""Adds the options of a choice; the command receives them as its parameter `choice`."""
