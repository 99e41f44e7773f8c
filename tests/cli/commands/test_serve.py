import pytest
import yaml


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere"], "textrnn: error: nowhere: expected a run folder, got none"),
        (["two words"], "textrnn: error: expected a model name of letters"),
        (["run", "--port", "99999"], "port must be 0-65535; choose another --port or --host."),
        (["run", "--api-key-file", "none"], "textrnn: error: none: expected a file of API keys"),
    ],
)
def test_what_cannot_be_served_is_one_line(textrnn, home, arguments, line):
    (home / "run").mkdir()
    (home / "run" / "digests.json").write_text("{}")
    result = textrnn("serve", "--port", "0", *arguments, code=1)
    assert line in result.stderr.splitlines()[-1]


def test_a_run_is_needed(textrnn):
    assert "Missing argument" in textrnn("serve", code=2).stderr


def test_the_help_lists_the_options_by_section(textrnn):
    shown = textrnn("serve", "--help").stdout
    for title in ("Listening:", "Batching:", "Limits:", "Versions:", "Access:", "Stopping:"):
        assert title in shown


def test_the_configuration_of_ray_serve_is_written(textrnn, home):
    (home / "run").mkdir()
    (home / "run" / "digests.json").write_text("{}")
    options = ("--replicas", "1:8", "--port", "9000", "--serve-config", "serve.yaml")
    written = textrnn("serve", "m=run", *options)
    assert "`serve deploy serve.yaml`" in written.stderr
    config = yaml.safe_load((home / "serve.yaml").read_text())
    assert config["applications"][0]["args"]["runs"] == {"m": str(home / "run")}
    assert config["http_options"]["port"] == 9000
    nowhere = textrnn("serve", "m=run", "--serve-config", "none/serve.yaml", code=1)
    assert "cannot be written: No such file or directory; choose another" in nowhere.stderr
    alone = textrnn("serve", "m=run", "--replicas", "2", code=2)
    assert "--replicas needs --cluster or --serve-config." in alone.stderr
    wrong = textrnn("serve", "m=run", "--cluster", "local", "--replicas", "none", code=1)
    assert "--replicas must be a number, or LEAST:MOST such as 1:8, got 'none'" in wrong.stderr
    assert "none: expected a run folder" in textrnn("serve", "none", *options, code=1).stderr
