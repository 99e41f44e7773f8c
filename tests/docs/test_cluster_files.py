import shlex
from pathlib import Path

import click
import pytest
import yaml

from textrnn.cli.main import main

FILES = Path(__file__).parents[2] / "docs" / "cluster"
JOB = yaml.safe_load((FILES / "kuberay.yaml").read_text(encoding="utf-8"))


def test_the_job_on_kubernetes_is_a_command_of_textrnn():
    program, name, *words = shlex.split(JOB["spec"]["entrypoint"])
    context = click.Context(main, **main.context_settings)
    command = main.get_command(context, name)
    assert command is not None
    options = command.make_context(name, words, parent=context).params
    assert program == "textrnn"
    assert options["cluster"] == "auto"
    assert options["resume"]  # A head that is lost begins the command again.


def test_the_head_on_kubernetes_labels_nothing_and_all_pods_are_one_version():
    cluster = JOB["spec"]["rayClusterSpec"]
    head, worker = cluster["headGroupSpec"], cluster["workerGroupSpecs"][0]
    images = [
        container["image"]
        for group in (head, worker)
        for container in group["template"]["spec"]["containers"]
    ]
    assert head["rayStartParams"] == {"num-cpus": "0"}
    assert len(set(images)) == 1
    assert worker["minReplicas"] <= worker["replicas"] <= worker["maxReplicas"]


def test_the_cluster_in_a_cloud_is_what_rays_launcher_expects():
    launcher = pytest.importorskip("ray.autoscaler._private.util", reason="needs ray")
    settings = yaml.safe_load((FILES / "cloud.yaml").read_text(encoding="utf-8"))
    launcher.validate_config(launcher.prepare_config(settings))
    assert settings["head_node_type"] in settings["available_node_types"]
