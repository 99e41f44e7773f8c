"""The options of a choice of the texts whose labels would teach the most."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from textrnn.cli.option_group import OptionGroup
from textrnn.config.choices import DISAGREEMENT, UNCERTAINTY_MEASURES

__all__ = ["UncertainOptions", "uncertain_options"]


@dataclass(frozen=True)
class UncertainOptions:
    """The values of the options that `uncertain_options` adds.

    Attributes:
        uncertain: The number of rows that are chosen; None: all rows are answered.
        measure: The measure of uncertainty; None: the disagreement of several runs, and the first
            of `UNCERTAINTY_MEASURES` without `members`.
        members: The folders of the runs whose answers are compared with those of the first run.
        diverse: Whether to choose rows that differ from each other.
    """

    uncertain: int | None = None
    measure: str | None = None
    members: tuple[Path, ...] = ()
    diverse: bool = False

    @property
    def by(self) -> str:
        """The measure of uncertainty."""
        return self.measure or (DISAGREEMENT if self.members else UNCERTAINTY_MEASURES[0])

    def check(self, run: Path, *, has_file: bool, resume: bool) -> None:
        """Checks that the options suit each other and the source of the texts.

        Args:
            run: The folder of the first run.
            has_file: Whether the texts are those of a file or of stdin.
            resume: Whether the job is to continue an earlier one.

        Raises:
            click.UsageError: They do not.
        """
        if self.uncertain is None:
            if self != UncertainOptions():
                raise click.UsageError("--by, --member and --diverse need --uncertain.")
        elif self.by == DISAGREEMENT and not self.members:
            raise click.UsageError(
                f"--by {DISAGREEMENT} compares several runs, got {run} alone; name the others by "
                "--member RUN, once for each."
            )
        elif self.by != DISAGREEMENT and self.members:
            raise click.UsageError(f"--member is for --by {DISAGREEMENT}, got --by {self.by}.")
        elif len({path.resolve() for path in (run, *self.members)}) <= len(self.members):
            raise click.UsageError("--member must name different runs, also than RUN.")
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
        type=click.Choice((*UNCERTAINTY_MEASURES, DISAGREEMENT)),
        help="What --uncertain goes by: the difference of the two largest probabilities, the "
        "entropy of all, the largest one, or the disagreement of RUN with each --member.  "
        "[default: margin, with --member disagreement]",
    ),
    click.option(
        "--member",
        "members",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="RUN",
        help="For --by disagreement: the folder of another run with the same labels; may be "
        "repeated. Label and score are still those of the first RUN.",
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
