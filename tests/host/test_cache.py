import platformdirs

from textrnn.host.cache import cache_folder


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path


def test_an_empty_name_means_the_user_s_cache_folder(monkeypatch):
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", "")
    assert str(cache_folder()) == platformdirs.user_cache_dir("textrnn")
