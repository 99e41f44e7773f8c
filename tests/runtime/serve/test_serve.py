"""The start of the server."""

import os
import re

import pytest
from letter_model import load, write_run

from textrnn.runtime.serve import ModelSource, ServeSettings, serve, server
from textrnn.runtime.serve.settings import Access


class Bound:
    """Stands for a socket that is bound to an address."""

    def __init__(self, host):
        self._host = host

    def getsockname(self):
        return self._host, 8501

    def close(self):
        pass


@pytest.mark.parametrize(
    ("host", "has_keys", "is_warned"),
    [("0.0.0.0", False, True), ("0.0.0.0", True, False), ("127.0.0.1", False, False)],
)
def test_an_open_address_without_keys_is_told(
    tmp_path, monkeypatch, capsys, host, has_keys, is_warned
):
    monkeypatch.setattr(server, "listening_socket", lambda listening: Bound(host))
    monkeypatch.setattr(server, "run_server", lambda *arguments, **settings: None)
    write_run(tmp_path / "run")
    (tmp_path / "keys").write_text("a-key-of-more-than-thirty-two-characters\n")
    keys = str(tmp_path / "keys") if has_keys else None
    settings = ServeSettings(access=Access(api_key_file=keys))
    serve([ModelSource("model", tmp_path / "run")], load, settings=settings)
    printed = capsys.readouterr().err
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ textrnn serve\[\d+\] (INFO|WARNING): .+"
    assert all(re.fullmatch(form, line) for line in printed.splitlines())
    assert f"serve[{os.getpid()}]" in printed
    assert f"listening at http://{host}:8501" in printed
    assert ("whoever reaches this address may ask" in printed) == is_warned
