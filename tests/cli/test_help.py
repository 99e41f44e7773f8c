import click
import pytest
from click.testing import CliRunner

from textrnn.cli.commands.decide import decide
from textrnn.cli.commands.pretrain import pretrain
from textrnn.cli.commands.train import train
from textrnn.cli.help import SettingOption
from textrnn.cli.main import main
from textrnn.config.classifier import ClassifierRunConfig


def help_of(command: click.Command, flag: str) -> str:
    # Not the command alone: click keeps its help option, which then lacks -h for other tests.
    assert command.name
    result = CliRunner().invoke(main, [command.name, flag], prog_name="textrnn")
    assert result.exit_code == 0
    return result.output


def flags(text: str) -> set[str]:
    """The options that a help text lists, those in running text left out."""
    lines = (line.strip() for line in text.splitlines())
    return {
        word.strip(",")
        for line in lines
        if line.startswith("-")
        for word in line.split("  ")[0].split()
        if word.startswith("--")
    }


@pytest.mark.parametrize("command", [train, pretrain])
def test_help_lists_the_common_options_and_counts_the_others(command):
    settings = [param for param in command.params if isinstance(param, SettingOption)]
    common = {param.opts[0] for param in settings if param.common}
    text = help_of(command, "--help")
    assert common <= flags(text)
    assert not flags(text) & {param.opts[0] for param in settings if not param.common}
    more = len(settings) - len(common)
    assert f"textrnn {command.name} --help-all lists {more} more options" in " ".join(text.split())


@pytest.mark.parametrize("command", [train, pretrain])
def test_help_all_lists_every_option(command):
    options = {param.opts[0] for param in command.params if isinstance(param, click.Option)}
    text = help_of(command, "--help-all")
    assert options <= flags(text)
    assert "more options" not in text


def test_each_section_is_a_titled_group():
    text = help_of(train, "--help-all")
    titles = [
        line[:-1].lower() for line in text.splitlines() if line.endswith(":") and line[0] != " "
    ]
    assert titles == ["options", *ClassifierRunConfig.sections()]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("--towers", "--separate-directions"),
        ("--no-halve", "--no-pyramid"),
        ("--keep=best", "--final-weights"),
    ],
)
def test_a_renamed_flag_suggests_its_new_name(old, new):
    result = CliRunner().invoke(main, ["train", old])
    assert result.exit_code == 2
    assert f"No such option: {old.partition('=')[0]}. Did you mean {new}?" in result.output


def test_the_flag_that_is_most_like_a_misspelt_one_is_the_first_suggestion():
    result = CliRunner().invoke(main, ["train", "--train-fiel", "a.csv"])
    assert result.exit_code == 2
    assert "No such option: --train-fiel. Did you mean --train-file" in result.output


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["train", "a b.csv"], "--train-file 'a b.csv'"),
        (["train", "a b.csv", "c.csv"], "--train-file 'a b.csv,c.csv'"),
        (["evaluate", "run", "c.csv"], "--test-file c.csv"),
        (["pretrain", "c.csv"], "--text-file c.csv"),
    ],
)
def test_a_file_without_its_flag_suggests_the_flag(tmp_path, monkeypatch, arguments, flag):
    for name in ("a b.csv", "c.csv"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert f"To read files, pass {flag}." in result.output


@pytest.mark.parametrize("arguments", [["train", "gone.csv", "5"], ["doctor", "tests"]])
def test_another_argument_too_many_is_an_error(arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "Got unexpected extra argument" in result.output
    assert "pass" not in result.output


def test_the_first_help_lists_what_errors_and_the_command_are_about():
    data = {"--encoding", "--delimiter", "--skip-bad-rows"}
    assert data <= flags(help_of(train, "--help"))
    rule = {"--objective", "--objective-label", "--cost-matrix", "--abstain-below"}
    assert rule <= flags(help_of(decide, "--help"))
    assert not rule & flags(help_of(train, "--help"))


def test_a_flag_that_the_command_lacks_is_not_suggested():
    result = CliRunner().invoke(main, ["pretrain", "--towers"])
    assert result.exit_code == 2
    assert "--separate-directions" not in result.output
