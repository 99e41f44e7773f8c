import os

from textrnn.host.threads import count_cores, set_thread_defaults


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
