import datetime
import json

from textrnn.messages import terminal
from textrnn.messages.json_lines import JsonReporter


def test_each_line_is_an_object(capsys, monkeypatch):
    monkeypatch.setattr(terminal, "MOST_LOG_SECONDS", 0.0)
    reporter = JsonReporter()
    reporter.message("a [bold] text, " + "long " * 60)
    with reporter.step("tokens", total=4) as advance:
        advance(1, "loss 0.5")
    with reporter.wait("waiting"):
        pass
    reporter.epoch({"epoch": 1, "train_loss": 0.25})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["message", "progress", "message", "epoch"]
    message, step, wait, epoch = lines
    assert message["text"] == "a [bold] text, " + "long " * 60
    assert (step["step"], step["done"], step["total"], step["text"]) == ("tokens", 1, 4, "loss 0.5")
    assert wait["text"] == "waiting"
    assert (epoch["epoch"], epoch["train_loss"]) == (1, 0.25)
    for line in lines:
        assert datetime.datetime.fromisoformat(line["time"]).tzinfo is not None
