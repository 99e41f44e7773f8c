import os

import pytest

from textrnn.host.threads import count_cores, set_thread_defaults, with_cores


def test_a_process_has_a_core():
    assert 1 <= count_cores() <= (os.cpu_count() or 1)


def test_threads_follow_the_cores_unless_the_user_says_otherwise(monkeypatch):
    for cores, intra in [(1, "1"), (2, "1"), (4, "1"), (6, "2"), (16, "4")]:
        monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
        monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "7")
        monkeypatch.setattr("textrnn.host.threads.count_cores", lambda cores=cores: cores)
        set_thread_defaults()
        assert os.environ["TF_NUM_INTRAOP_THREADS"] == intra
        assert os.environ["TF_NUM_INTEROP_THREADS"] == "7"


@pytest.mark.parametrize(("said", "cores"), [("3", 3), ("0", None), ("many", None), ("", None)])
def test_the_environment_may_say_the_number_of_cores(monkeypatch, said, cores):
    here = count_cores()
    monkeypatch.setenv("TEXTRNN_CORES", said)
    assert count_cores() == (cores or here)


def test_the_threads_of_another_process_follow_from_its_cores_alone(monkeypatch):
    environments = [{"TF_NUM_INTRAOP_THREADS": "9", "OMP_NUM_THREADS": "4"}, {}]
    first, second = (with_cores(environment, 6) for environment in environments)
    assert first == second
    monkeypatch.setattr("os.environ", dict(first))
    assert count_cores() == 6
    set_thread_defaults()
    assert (first.get("TF_NUM_INTRAOP_THREADS"), os.environ["TF_NUM_INTRAOP_THREADS"]) == (
        None,
        "2",
    )
