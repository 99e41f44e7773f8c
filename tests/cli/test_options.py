import dataclasses

import click
import pytest
from click.testing import CliRunner

from textrnn.cli.commands.train import train
from textrnn.cli.options import data_options, given_settings, merge_settings, setting_options
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import DataConfig
from textrnn.config.model import ModelConfig
from textrnn.errors import ConfigError

PROMISED = """
    --dataset --data-dir --text-key --label-key --train-file --valid-file --test-file
    --text-column --label-column --cell --window --units --layers --bidirectional
    --no-bidirectional --head --embedding-units --vocab-size --dropout --epochs --batch-tokens
    --max-length --learning-rate --seed --deterministic --patience --resume --output --config
    --overwrite --json --strategy --precision --resume-or-start --find-lr --time-budget --ema
"""


def given(*arguments: str) -> dict:
    """The settings that a command finds on its command line."""
    options = {}

    @click.command()
    @setting_options()
    @click.pass_context
    def command(context, /, **_):
        options.update(given_settings(context))

    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    if result.exit_code:
        raise click.UsageError(result.stderr)
    return options


def test_train_has_every_option_that_users_are_promised():
    flags = {
        flag
        for parameter in train.params
        if isinstance(parameter, click.Option)
        for flag in (*parameter.opts, *parameter.secondary_opts)
    }
    assert set(PROMISED.split()) <= flags


@pytest.mark.parametrize(
    "parameter", [p for p in train.params if isinstance(p, click.Option)], ids=lambda p: p.name
)
def test_every_option_of_train_has_help(parameter):
    assert parameter.help
    assert parameter.help[0].isupper()


def test_every_setting_is_an_option_with_its_default_and_help():
    options = {parameter.name: parameter for parameter in train.params}
    for section in ClassifierRunConfig.sections().values():
        for setting in dataclasses.fields(section):
            option = options[setting.name]
            assert option.default == setting.default
            assert option.help == setting.metadata["help"]
            assert f"--{setting.name.replace('_', '-')}" in option.opts


def test_only_what_was_typed_is_given():
    assert given() == {}
    assert given("--units", "7", "--no-bidirectional", "--dataset", "imdb") == {
        "data": {"dataset": "imdb"},
        "model": {"units": 7, "bidirectional": False},
    }


def test_a_default_that_is_typed_is_given_too():
    default = ClassifierRunConfig().runtime.seed
    assert given("--seed", str(default)) == {"runtime": {"seed": default}}


@pytest.mark.parametrize("section", ClassifierRunConfig.sections().values())
def test_every_flag_can_be_turned_on_and_off(section):
    flags = [s for s in dataclasses.fields(section) if isinstance(s.default, bool)]
    for setting in flags:
        name = setting.name.replace("_", "-")
        assert list(given(f"--{name}").values()) == [{setting.name: True}]
        assert list(given(f"--no-{name}").values()) == [{setting.name: False}]


@pytest.mark.parametrize(
    "arguments", [["--cell", "rnn"], ["--units", "many"], ["--dropout", "much"], ["--unit", "3x"]]
)
def test_a_value_of_the_wrong_type_is_wrong_usage(arguments):
    with pytest.raises(click.UsageError):
        given(*arguments)


def test_the_cell_may_be_a_class_of_modules_that_are_imported():
    typed = given("--import", "first", "--import", "inner.second", "--cell", "mine>Cell")
    assert typed == {"model": {"cell": "mine>Cell", "imports": "first,inner.second"}}
    assert given("--cell", "lstm") == {"model": {"cell": "lstm"}}


def test_an_unknown_cell_names_the_choices_and_the_way_to_name_a_class():
    with pytest.raises(click.UsageError, match=r"'simple', .* 'none', or 'package>Name', in"):
        given("--cell", "mine")


def test_data_options_are_those_of_the_data():
    @click.command()
    @data_options
    def command(**_):
        pass

    sections = ClassifierRunConfig.sections()
    expected = [s.name for name in ("data", "task") for s in dataclasses.fields(sections[name])]
    assert [parameter.name for parameter in command.params] == expected


# Merging


def test_what_is_given_takes_the_place_of_the_config_s():
    config = ClassifierRunConfig(
        data=DataConfig(dataset="imdb"), model=ModelConfig(units=3, layers=2, bidirectional=True)
    )
    merged = merge_settings(config, {"model": {"units": 4, "bidirectional": False}})
    assert merged.model == ModelConfig(units=4, layers=2, bidirectional=False)
    assert merged.data == config.data
    assert config.model.units == 3


def test_nothing_given_changes_nothing():
    config = ClassifierRunConfig(data=DataConfig(dataset="imdb"))
    assert merge_settings(config, {}) == config


def test_without_data_it_is_the_bundled_one():
    assert merge_settings(ClassifierRunConfig(), {}).data.dataset == "bbc_news"


def test_other_data_takes_the_place_of_all_sources():
    files = DataConfig(train_file="a.csv", test_file="b.csv", text_column="words")
    merged = merge_settings(ClassifierRunConfig(data=files), {"data": {"dataset": "imdb"}})
    assert merged.data == DataConfig(dataset="imdb", text_column="words")
    merged = merge_settings(ClassifierRunConfig(data=files), {"data": {"train_file": "c.csv"}})
    assert merged.data == DataConfig(train_file="c.csv", text_column="words")


def test_another_test_file_leaves_the_other_sources():
    files = DataConfig(train_file="a.csv", test_file="b.csv")
    merged = merge_settings(ClassifierRunConfig(data=files), {"data": {"test_file": "c.csv"}})
    assert merged.data == DataConfig(train_file="a.csv", test_file="c.csv")


def test_what_does_not_fit_together_is_an_error():
    with pytest.raises(ConfigError, match="`units` must be at least 1, got 0"):
        merge_settings(ClassifierRunConfig(), {"model": {"units": 0}})
    with pytest.raises(ConfigError, match="not both"):
        merge_settings(ClassifierRunConfig(), {"data": {"dataset": "imdb", "train_file": "a.csv"}})
