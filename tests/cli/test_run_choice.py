import json

import click
import pytest
from click.testing import CliRunner

from textrnn.cli.options import merge_settings
from textrnn.cli.reporting import CommandJsonReporter, CommandReporter
from textrnn.cli.run_choice import RunChoice, RunOptions, run_options
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.inference import run_folder
from textrnn.inference.run_files import default_name


def choose(given=None, **options) -> RunChoice[ClassifierRunConfig]:
    return RunChoice.of(
        ClassifierRunConfig(),
        RunOptions(**options),
        given=given or {},
        merge=merge_settings,
        name=lambda config: default_name(config.data.dataset, config.data.train_file),
    )


def begin(folder, **settings):
    """Makes the folder an unfinished run with these settings."""
    config = ClassifierRunConfig.of(dataset="bbc_news", **settings)
    run_folder.begin(folder, config)
    return config


def test_a_command_receives_the_options_of_its_run(home):
    received = []

    @click.command()
    @run_options("runs/DATA SET")
    def command(options):
        received.append(options)

    arguments = ["--output", "out", "--resume", "--log-format", "json", "--json"]
    CliRunner().invoke(command, arguments, catch_exceptions=False)
    (options,) = received
    assert (str(options.output), options.resume, options.overwrite) == ("out", True, False)
    assert (options.log_format, options.as_json) == ("json", True)
    assert "[default: runs/DATA SET]" in CliRunner().invoke(command, ["--help"]).output


@pytest.mark.parametrize(
    ("name", "kind"), [("text", CommandReporter), ("json", CommandJsonReporter)]
)
def test_the_log_format_decides_the_reporter(name, kind):
    assert type(RunOptions(log_format=name).reporter()) is kind


def test_results_are_lines_or_one_json_object(capsys):
    RunOptions().print_results({"run": "x"}, "one", "two")
    assert capsys.readouterr().out == "one\ntwo\n"
    RunOptions(as_json=True).print_results({"run": "x"}, "one", "two")
    assert json.loads(capsys.readouterr().out) == {"run": "x"}


# Settings and folder


def test_typed_settings_win_over_the_file_and_the_file_over_the_defaults(home):
    (home / "my.yaml").write_text("model: {units: 5, layers: 2}")
    choice = choose({"model": {"units": 6}}, config_file=home / "my.yaml")
    assert (choice.config.model.units, choice.config.model.layers) == (6, 2)
    assert choice.config.model.cell == ClassifierRunConfig().model.cell


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "bbc_news"),
        ({"data": {"dataset": "glue/sst2:1.0.0"}}, "glue_sst2_1.0.0"),
        ({"data": {"train_file": "somewhere/reviews.csv.gz"}}, "reviews"),
    ],
)
def test_the_folder_has_the_name_of_the_data(given, name):
    assert choose(given).folder.parts == ("runs", name)


def test_a_file_that_is_missing_is_named_with_the_file_of_settings(home):
    (home / "my.yaml").write_text("data: {train_file: gone.csv}")
    with pytest.raises(DataError, match=r"gone.csv \(`train_file` of .*my.yaml\): expected a file"):
        choose(config_file=home / "my.yaml").check_inputs()
    with pytest.raises(DataError, match=r"^none.csv: expected a file"):
        choose({"data": {"train_file": "none.csv"}}).check_inputs()


# Resuming


def test_a_run_resumes_with_its_own_settings(home):
    config = begin(home / "run", units=7)
    assert choose(output=home / "run", resume=True).resumed() == config
    again = choose({"model": {"units": 7}}, output=home / "run").resumed()
    assert again == config


def test_settings_that_do_not_change_the_result_may_change(home):
    begin(home / "run")
    changed = choose({"runtime": {"keep_checkpoints": 1}}, output=home / "run").resumed()
    assert changed.runtime.keep_checkpoints == 1


def test_other_settings_are_refused(home):
    begin(home / "run", units=7)
    (home / "my.yaml").write_text("model: {units: 9}")
    for choice in (
        choose({"model": {"units": 9}}, output=home / "run"),
        choose(config_file=home / "my.yaml", output=home / "run"),
    ):
        with pytest.raises(
            ConfigError, match="unchanged settings, got `units` 9 in place of 7; leave"
        ):
            choice.resumed()


def test_without_a_run_there_is_nothing_to_resume(home):
    with pytest.raises(ModelError, match="nothing to resume from"):
        choose(output=home / "none").resumed()
