import click
import pytest

from textrnn.cli.flags import flags_in_message, flags_of, renamed_flag, with_flags
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import RENAMED
from textrnn.errors import ConfigError, DataError, ModelError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ModelError("a: lost;\nuse `resume`."), "a: lost; use --resume."),
        (ModelError("use `resume_or_start`."), "use --resume-or-start."),
        (ConfigError("`units` must be 1; see `output`."), "`units` must be 1; see --output."),
        (ConfigError("`imports` names x."), "`imports` (--import) names x."),
        (ModelError("run: `imports` names x."), "run: `imports` names x."),
    ],
)
def test_arguments_become_flags_and_settings_keep_their_names(error, text):
    assert with_flags(error) == text


@pytest.mark.parametrize("old", RENAMED)
def test_a_renamed_setting_has_a_renamed_flag(old):
    new = RENAMED[old].replace("_", "-")
    assert RENAMED[old] in ClassifierRunConfig.section_of()
    assert (renamed_flag(f"--{old}"), renamed_flag(f"--no-{old}")) == (f"--{new}", f"--no-{new}")
    assert renamed_flag(f"--{new}") == ""


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("check `label_column`.", "check --label-column."),
        ("set `text_column` or rename it.", "pass --text-column or rename it."),
        ("set `check_labels=False`.", "pass --no-check-labels."),
        ("set `multi_label=True` and `label_separator=';'`", "pass --multi-label and"),
        ("set `train_file='a b.csv'`.", "pass --train-file 'a b.csv'."),
        ("name it by `text_file`.", "name it by --text-file."),
        ("`imports` names x.", "--import names x."),
        ("a.csv has no `title`, nor `id=3`; set `colour`.", "a.csv has no `title`, nor `id=3`;"),
    ],
)
def test_messages_about_data_name_flags(message, text):
    assert flags_in_message(message).startswith(text)
    assert with_flags(DataError(message)) == flags_in_message(message)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("`units` must be 1, got `multi_label`.", "--units must be 1, got `multi_label`."),
        ("`own_cells` names x; set `units`.", "--import names x; pass --units."),
        ("my.yaml: `units` must be 1.", "my.yaml: `units` must be 1."),
        ("runs/a/config.yaml:3: `units` must be 1.", "runs/a/config.yaml:3: `units` must be 1."),
    ],
)
def test_errors_about_settings_name_the_flags_of_the_command(message, text):
    @click.command()
    @click.argument("text")
    @click.option("--units")
    @click.option("--import", "--own-cells", "imports")
    @click.option("--fast/--slow")
    def command(**_): ...

    flags = flags_of(command)
    assert set(flags) == {"units", "import", "own_cells", "fast"}
    assert with_flags(ConfigError(message), flags) == text


def test_a_value_that_a_setting_should_get_is_a_flag_in_each_error():
    assert with_flags(ConfigError("`units` is 1; set `multi_label=True`.")) == (
        "`units` is 1; pass --multi-label."
    )
