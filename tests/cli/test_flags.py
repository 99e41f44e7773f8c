import pytest

from textrnn.cli.flags import renamed_flag, with_flags
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import RENAMED
from textrnn.errors import ConfigError, ModelError


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
