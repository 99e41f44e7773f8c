import dataclasses

import click
import pytest
from click.testing import CliRunner

from textrnn.cli.option_group import OptionGroup


@dataclasses.dataclass(frozen=True)
class Size:
    width: int
    names: tuple[str, ...]


SIZE = (click.option("--width", default=1, help="Width."), click.argument("names", nargs=-1))


def run(group: OptionGroup, *arguments: str) -> dict:
    """The parameters that a command with the options and one of its own receives."""
    received: dict[str, object] = {}

    @click.command()
    @group
    @click.option("--other", default="x")
    def command(**values):
        """A command."""
        received.update(values, help=click.get_current_context().get_help())

    assert CliRunner().invoke(command, arguments, catch_exceptions=False).exit_code == 0
    return received


def test_a_command_receives_the_values_as_one_object():
    received = run(OptionGroup(Size, *SIZE), "--width", "3", "a", "b", "--other", "y")
    assert received["size"] == Size(3, ("a", "b"))
    assert received["other"] == "y"
    assert "width" not in received


def test_the_parameter_may_have_another_name():
    assert run(OptionGroup(Size, *SIZE, name="box"))["box"] == Size(1, ())


def test_the_help_keeps_the_order_and_the_docstring():
    text = run(OptionGroup(Size, *SIZE))["help"]
    assert "A command." in text
    assert text.index("--width") < text.index("--other")


def test_a_field_without_an_option_is_a_bug():
    with pytest.raises(KeyError, match="names"):
        run(OptionGroup(Size, SIZE[0]))
