import dataclasses
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import DataConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import ModelConfig
from textrnn.config.section import field_types
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError

SECTIONS = ClassifierRunConfig.sections()
EACH_SETTING = [
    (section, setting) for section in SECTIONS.values() for setting in dataclasses.fields(section)
]


def settings_where(condition):
    """Parameters: each section and setting that meets a condition."""
    return [
        pytest.param(section, setting, id=setting.name)
        for section, setting in EACH_SETTING
        if condition(section, setting)
    ]


SETTINGS = settings_where(lambda section, setting: True)


FITTING = {
    # Settings that exclude or need each other.
    "train_file": st.just("train.csv"),
    "dataset": st.none(),
    **dict.fromkeys(("valid_file", "test_file"), st.just("other.csv")),
    "time_column": st.none(),
    "fold": st.none(),
    "unlabelled": st.just(False),
    "unlabelled_file": st.none(),
    "label_names": st.none(),
    "label_column": st.just("label"),
    "text_column": st.just("text"),
    "separate_directions": st.just(False),
    "stop_below": st.sampled_from([None, "0.5:0.7", "0.25:0.6,0.5:0.7"]),
    "init_from": st.none(),
    "pretrain_epochs": st.just(0),
    "jit": st.sampled_from(["auto", "off"]),
    **dict.fromkeys(("adversarial", "vat", "entropy", "language_weight"), st.just(0.0)),
    "teacher_weight": st.floats(0.0, 1.0),
    "teachers": st.none() | st.sampled_from(["runs/a", "runs/a, runs/b"]),
    "vat_every": st.just(1),
    "balanced_batches": st.just("off"),
    "loss": st.sampled_from(["cross-entropy", "focal"]),
    **dict.fromkeys(("objective_label", "cost_matrix"), st.none()),
    # Settings whose text has a form.
    "delimiter": st.none() | st.sampled_from([";", "tab", "|"]),
    "time_budget": st.none() | st.sampled_from(["90s", "30m", "1.5h"]),
    "tbptt": st.sampled_from(["256,256", "64,256"]),
    "objective": st.sampled_from([None, "accuracy", "macro-f1"]),
    "imports": st.none() | st.sampled_from(["my_cells", "mine.cells, yours"]),
}


def values_of(section: type, setting: dataclasses.Field) -> st.SearchStrategy:
    """All values that a setting may have by its type and bounds."""
    kind, optional = field_types(section)[setting.name]
    bounds = setting.metadata
    if bounds["choices"] is not None:
        values = st.sampled_from(bounds["choices"])
    elif kind is bool:
        values = st.booleans()
    elif kind is int:
        below = bounds["below"]
        values = st.integers(bounds["minimum"], None if below is None else below - 1)
    elif kind is float:
        values = st.floats(
            bounds["minimum"],
            bounds["below"],
            exclude_min=setting.name == "valid_fraction",
            exclude_max=bounds["below"] is not None,
            allow_infinity=False,
        )
    else:
        values = st.text(min_size=1)
    return st.none() | values if optional else values


def sections() -> st.SearchStrategy[ClassifierRunConfig]:
    parts = {}
    for name, section in SECTIONS.items():
        values = {s.name: values_of(section, s) for s in dataclasses.fields(section)}
        values |= {name: value for name, value in FITTING.items() if name in values}
        parts[name] = st.builds(section, **values)
    return st.builds(ClassifierRunConfig, **parts)


@pytest.mark.thorough
@settings(max_examples=30)
@given(sections())
def test_a_config_survives_its_plain_values(config):
    assert ClassifierRunConfig.from_dict(config.to_dict()) == config


def test_plain_values_hold_every_setting_and_only_plain_types():
    values = ClassifierRunConfig().to_dict()
    assert list(values) == list(SECTIONS)
    for name, section in SECTIONS.items():
        assert set(values[name]) == {setting.name for setting in dataclasses.fields(section)}
        assert {type(v) for v in values[name].values()} <= {str, int, float, bool, type(None)}


@pytest.mark.parametrize(("section", "setting"), SETTINGS)
def test_every_setting_is_explained(section, setting):
    assert re.fullmatch(r"[A-Z].*\.(  \[default: .*\])?", setting.metadata["help"])


@pytest.mark.parametrize(("section", "setting"), SETTINGS)
def test_a_wrong_type_is_an_error(section, setting):
    for wrong in ([], {}, object(), b"x"):
        with pytest.raises(ConfigError, match=rf"^`{setting.name}` must be .*, got "):
            section(**{setting.name: wrong})
    kind, optional = field_types(section)[setting.name]
    if kind is not str:
        with pytest.raises(ConfigError, match=rf"^`{setting.name}` must be "):
            section(**{setting.name: "1"})
    if kind is not bool:
        with pytest.raises(ConfigError, match=rf"^`{setting.name}` must be .*, got True"):
            section(**{setting.name: True})
    if kind is not float:
        with pytest.raises(ConfigError, match=rf"^`{setting.name}` must be .*, got 0\.5"):
            section(**{setting.name: 0.5})
    if not optional:
        with pytest.raises(ConfigError, match=rf"^`{setting.name}` must be .*, got None"):
            section(**{setting.name: None})


@pytest.mark.parametrize(
    ("section", "setting"),
    settings_where(lambda section, setting: setting.metadata["minimum"] is not None),
)
def test_a_value_below_the_minimum_is_an_error(section, setting):
    minimum = setting.metadata["minimum"]
    wrong = minimum - 1 if isinstance(minimum, int) else math.nextafter(minimum, -1)
    with pytest.raises(ConfigError, match=rf"^`{setting.name}` must be at least {minimum}, got"):
        section(**{setting.name: wrong})
    if setting.name != "valid_fraction":
        assert getattr(section(**{setting.name: minimum}), setting.name) == minimum


@pytest.mark.parametrize(
    ("section", "setting"),
    settings_where(lambda section, setting: setting.metadata["below"] is not None),
)
def test_a_value_at_the_upper_bound_is_an_error(section, setting):
    below = setting.metadata["below"]
    with pytest.raises(ConfigError, match=rf"^`{setting.name}` must be less than {below}, got"):
        section(**{setting.name: below})
    inside = below - 1 if isinstance(below, int) else math.nextafter(below, 0)
    assert getattr(section(**{setting.name: inside}), setting.name) == inside


@pytest.mark.parametrize(
    ("section", "setting"),
    settings_where(lambda section, setting: field_types(section)[setting.name][0] is float),
)
def test_nan_is_no_number(section, setting):
    with pytest.raises(ConfigError, match=rf"^`{setting.name}` must be .*, got nan"):
        section(**{setting.name: math.nan})


@pytest.mark.parametrize(
    ("section", "setting"), settings_where(lambda section, setting: setting.metadata["choices"])
)
def test_the_choices_are_listed(section, setting):
    choices = setting.metadata["choices"]
    with pytest.raises(ConfigError) as info:
        section(**{setting.name: "other"})
    assert str(info.value) == f"`{setting.name}` must be one of {', '.join(choices)}, got 'other'."


@pytest.mark.parametrize(
    ("tokens", "rates"), [(49.9, (0.3, 0.1)), (50.0, (0.5, 0.2)), (300.0, (0.5, 0.2))]
)
def test_short_texts_lose_fewer_words(tokens, rates):
    assert tuple(ModelConfig().choices(tokens).values()) == rates
    given = ModelConfig(embedding_dropout=0.0, word_dropout=0.4)
    assert given.choices(tokens) == {}
    assert (given.embedding_rate, given.word_rate) == (0.0, 0.4)
    assert (ModelConfig().embedding_rate, ModelConfig().word_rate) == (0.5, 0.2)


def test_an_integer_is_a_number_too():
    rate = ClassifierRunConfig.of(learning_rate=1).optimizer.learning_rate
    assert rate == 1.0
    assert isinstance(rate, float)


def test_an_unknown_setting_error_lists_the_known_ones():
    with pytest.raises(ConfigError) as info:
        ModelConfig.from_dict({"unit": 3, 7: 1, "units": 3})  # type: ignore[dict-item]
    assert str(info.value).startswith("unknown setting 7, unit; known: bidirectional, cell, ")
    for setting in dataclasses.fields(ModelConfig):
        assert setting.name in str(info.value)


def test_an_unknown_section_error_lists_the_known_ones():
    with pytest.raises(ConfigError) as info:
        ClassifierRunConfig.from_dict({"modle": {}})
    assert str(info.value).startswith("unknown section modle; known: data, task, tokenizer, ")


@pytest.mark.parametrize("wrong", [["units"], "units", 3])
def test_a_section_must_map_names(wrong):
    with pytest.raises(ConfigError, match="section `model` must map names to values, got "):
        ClassifierRunConfig.from_dict({"model": wrong})


def test_what_is_left_out_keeps_its_default():
    config = ClassifierRunConfig.from_dict({"model": {"units": 3}, "schedule": None})
    assert config == ClassifierRunConfig(model=ModelConfig(units=3))


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TokenizerConfig().vocab_size = 9  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dataset": "imdb", "train_file": "a.csv"}, "either `dataset` or `train_file`, not both"),
        ({"test_file": "a.csv"}, "need `train_file`"),
        ({"valid_file": "a.csv"}, "need `train_file`"),
        ({"group_column": "a", "time_column": "b"}, "either `group_column` or `time_column`"),
        ({"train_file": "a", "test_file": "b", "fold": "1/2"}, "either `fold` or `test_file`"),
        *(({"fold": fold}, "such as 2/5, got") for fold in ("0/5", "6/5", "1/1", "2", "a/b", "")),
        ({"valid_fraction": 0.0}, "`valid_fraction` must be more than 0, got 0.0"),
        ({"valid_fraction": 1.0}, "`valid_fraction` must be less than 1.0, got 1.0"),
    ],
)
def test_data_settings_that_cannot_be(values, message):
    with pytest.raises(ConfigError, match=message):
        DataConfig(**values)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"label_separator": ""}, "`label_separator` must be at least one character, got ''"),
        ({"label_columns": "a,b", "label_names": "a,b"}, "either `label_columns` or `label_names`"),
        ({"text_column": "label"}, "`text_column` and `label_column` must differ, got 'label'"),
        ({"unlabelled": True}, "need `vat`, `entropy` or `teachers`, got none"),
        ({"vat_every": 3}, "`vat_every` needs `vat`, got 3"),
        ({"vectors": "a", "init_from": "b"}, "either `vectors` or `init_from`, not both"),
        ({"language_weight": 0.1}, "`language_weight` needs `init_from`"),
        ({"jit": "on", "tbptt": "4,4", "tbptt_random": True}, "`jit` on excludes `tbptt_random`"),
        ({"language_weight": 0.1, "init_from": "a", "vat": 0.1}, "`language_weight` excludes"),
        ({"tbptt_random": True}, "`tbptt_random` needs `tbptt`"),
        ({"tbptt": "64,100"}, "`tbptt` must be K1,K2 with K2 a multiple of K1"),
        ({"tbptt": "64,128", "entropy": 0.1}, "expected no `tbptt`, got '64,128'"),
        ({"separate_directions": True, "pyramid": True}, "exclude each other"),
        ({"time_budget": "soon"}, "expected a duration such as 90s, 30m or 2h, got 'soon'"),
    ],
)
def test_settings_that_exclude_each_other(settings, message):
    with pytest.raises(ConfigError, match=message):
        ClassifierRunConfig.of(**settings)


def test_single_values_find_their_sections():
    config = ClassifierRunConfig.of(cell="lstm", epochs=3, seed=7)
    assert (config.model.cell, config.schedule.epochs, config.runtime.seed) == ("lstm", 3, 7)
    assert config.replace(seed=8, cell="gru").replace(cell="lstm", seed=7) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"training": {"epochs": 3}}, "Its settings are in batches, optimizer, schedule"),
        ({"units": 3}, "`units` is a setting of section `model`"),
        ({"model": {"cel": "gru"}}, "unknown setting cel; did you mean cell?; known: "),
        ({"schedule": {"keep": "last"}}, "unknown setting keep; did you mean final_weights?"),
    ],
)
def test_a_natural_mistake_says_where_to_look(values, message):
    with pytest.raises(ConfigError) as info:
        ClassifierRunConfig.from_dict(values)
    assert message in str(info.value)


def test_an_unknown_single_value_names_those_like_it():
    with pytest.raises(ConfigError, match=r"^unknown setting unit; did you mean units\?$"):
        ClassifierRunConfig.of(unit=3)


def test_a_setting_in_another_section_names_its_own():
    with pytest.raises(ConfigError, match=r"^`dropout` belongs to section `model`, got it in `reg"):
        ClassifierRunConfig.from_dict({"regularization": {"dropout": 0.1}})


@pytest.mark.parametrize("kind", [ClassifierRunConfig, LanguageModelRunConfig])
def test_no_two_settings_have_the_same_name(kind):
    names = [s.name for section in kind.sections().values() for s in dataclasses.fields(section)]
    assert len(names) == len(set(names)) == len(kind.section_of())


def test_the_common_settings_are_about_twenty():
    sections = ClassifierRunConfig.sections().values()
    common = [
        s.name for section in sections for s in dataclasses.fields(section) if s.metadata["common"]
    ]
    assert 15 <= len(common) <= 22


def test_a_data_set_takes_files_next_to_it():
    config = DataConfig(dataset="imdb", test_file="a.csv", valid_file="b.csv")
    assert (config.test_file, config.valid_file) == ("a.csv", "b.csv")


def test_a_config_error_is_a_value_error_too():
    with pytest.raises(ValueError, match="`units`"):
        ModelConfig(units=0)


def test_a_batch_of_more_tokens_holds_more_texts():
    sizes = [ClassifierRunConfig.of(batch_tokens=n).batches for n in (None, 1024, 4 * 8192)]
    assert [(s.most_tokens, s.most_texts) for s in sizes] == [(8192, 32), (1024, 32), (32768, 128)]
    assert ClassifierRunConfig.of(batch_tokens=4 * 8192, batch_texts=5).batches.most_texts == 5


def test_the_learning_rate_grows_only_where_that_is_asked_for():
    large = {"batch_tokens": 4 * 8192, "learning_rate": 0.01}
    rates = [
        ClassifierRunConfig.of(**large, rate_scaling=name).scaled_rate
        for name in ("none", "sqrt", "linear")
    ]
    assert rates == pytest.approx([0.01, 0.02, 0.04])
    small = ClassifierRunConfig.of(batch_tokens=1024, learning_rate=0.01, rate_scaling="linear")
    assert small.scaled_rate == 0.01


def test_what_a_run_chose_is_taken_where_the_choice_is_left_open():
    chosen = ClassifierRunConfig.of(batch_tokens=65536, precision="bfloat16", units=3)
    open_choice = ClassifierRunConfig().with_choices_of(chosen)
    assert (open_choice.batches.batch_tokens, open_choice.runtime.precision) == (65536, "bfloat16")
    assert open_choice.model.units == ClassifierRunConfig().model.units
    stated = ClassifierRunConfig.of(batch_tokens=100, precision="float16").with_choices_of(chosen)
    assert (stated.batches.batch_tokens, stated.runtime.precision) == (100, "float16")
