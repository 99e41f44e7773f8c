import pytest

from textrnn.runtime.errors import ConfigError
from textrnn.runtime.serve import ServeSettings
from textrnn.runtime.serve.settings import fields_with_section


def test_the_server_is_reached_from_this_machine_only_unless_told():
    assert ServeSettings().listening.host == "127.0.0.1"
    assert ServeSettings().access.cors_origins == ()
    assert not ServeSettings().logging.log_texts


def test_each_setting_is_found_by_its_name_alone():
    names = [definition.name for _, definition in fields_with_section()]
    assert len(names) == len(set(names))
    assert ServeSettings.of(workers=3, batch_texts=5).batching.batch_texts == 5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"port": -1}, "`port` must be at least 0"),
        ({"threads": 0}, "`threads` must be at least 1"),
        ({"request_seconds": float("nan")}, "`request_seconds` must be"),
        ({"prot": 1}, "got the setting `prot`"),
    ],
)
def test_values_that_cannot_work_are_errors(values, message):
    with pytest.raises(ConfigError, match=message):
        ServeSettings.from_dict(values)
