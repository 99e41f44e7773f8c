import sys
import textwrap
import time
import types

import pytest

from textrnn.messages.notebook import NotebookReporter, in_notebook, reporter_for_people
from textrnn.messages.terminal import TerminalReporter


class Output:
    """Stands for the output of a cell: what it shows now, and how often that was replaced."""

    def __init__(self):
        self.shown, self.updates = [], 0

    def display(self, data, *, raw, display_id):
        assert raw
        assert display_id
        self.shown.append(data)
        return self

    def update(self, data, *, raw):
        assert raw
        self.shown[-1] = data
        self.updates += 1

    @property
    def text(self):
        return self.shown[-1]["text/plain"]

    @property
    def html(self):
        return self.shown[-1]["text/html"]


@pytest.fixture
def output(monkeypatch) -> Output:
    output = Output()
    display = types.ModuleType("IPython.display")
    monkeypatch.setattr(display, "display", output.display, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return output


def set_shell(monkeypatch, shell):
    module = types.ModuleType("IPython.core.getipython")
    monkeypatch.setattr(module, "get_ipython", lambda: shell, raising=False)
    for name in ("IPython", "IPython.core"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "IPython.core.getipython", module)


def test_messages_share_one_output(output):
    reporter = NotebookReporter()
    reporter.message("reading <the> data")
    reporter.message("training")
    assert len(output.shown) == 1
    assert output.text == "reading <the> data\ntraining"
    assert "reading &lt;the&gt; data\ntraining</pre>" in output.html


def test_a_step_is_a_bar_that_goes_when_it_ends(output, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    reporter = NotebookReporter()
    reporter.message("training")
    with reporter.step("epoch 1/2", total=10) as advance:
        now[0] += 4
        advance(2, "loss <3")
        assert output.text == "training\nepoch 1/2 2/10  16 s left  loss <3"
        assert '<progress style="width:20em" max="10" value="2">' in output.html
        assert "2/10  16 s left  loss &lt;3" in output.html
    assert output.text == "training"
    assert "progress" not in output.html
    assert len(output.shown) == 1


def test_a_bar_is_not_drawn_for_every_part(output, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    with NotebookReporter().step("tokens", total=1000) as advance:
        for _ in range(1000):
            advance(1)
    assert output.updates == 1  # The end of the step.


def test_a_wait_has_a_bar_without_an_end(output):
    reporter = NotebookReporter()
    with reporter.wait("preparing the tokenizer"):
        assert output.text == "\npreparing the tokenizer".strip("\n")
        assert '<progress style="width:20em" ></progress>' in output.html
    assert output.text == ""


def test_an_epoch_is_a_line(output):
    row = {"epoch": 1, "train_loss": 0.5, "valid_loss": 0.4, "valid_accuracy": 0.9}
    NotebookReporter().epoch({**row, "seconds": 3.0, "tokens_per_second": 1000.0})
    assert output.text.startswith("epoch 1: loss 0.5000, validation loss 0.4000")


def test_a_kernel_is_recognised(monkeypatch):
    set_shell(monkeypatch, types.SimpleNamespace(kernel=object()))
    assert in_notebook()
    assert isinstance(reporter_for_people(), NotebookReporter)


@pytest.mark.parametrize("shell", [None, types.SimpleNamespace()], ids=["python", "ipython"])
def test_another_shell_is_no_notebook(monkeypatch, shell):
    set_shell(monkeypatch, shell)
    assert not in_notebook()
    assert type(reporter_for_people()) is TerminalReporter


def test_without_ipython_there_is_no_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.core.getipython", None)
    assert not in_notebook()


CELL = """
import random
import textrnn
letters = [" ".join(random.Random(i).choices("abcdef", k=6)) + " yx"[1 + i % 2] for i in range(200)]
labels = ["neg" if i % 2 == 0 else "pos" for i in range(200)]
model = textrnn.fit(letters, labels, epochs=2, units=4, embedding_units=4, vocab_size=40)
"""


@pytest.mark.slow
def test_a_notebook_shows_one_block_and_a_table(tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = [
        nbformat.v4.new_code_cell(textwrap.dedent(code))
        for code in (CELL, 'model.predict(["a x", "<b> y"])')
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    shown = [o for o in notebook.cells[0].outputs if o.output_type == "display_data"]
    (block,) = shown
    assert "epoch 2: loss" in block.data["text/html"]
    assert "<progress" not in block.data["text/html"]
    (result,) = notebook.cells[1].outputs
    assert result.data["text/html"].startswith("<table>")
    assert "&lt;b&gt; y" in result.data["text/html"]
    assert result.data["text/plain"].endswith("2 predictions")
