"""The command `textrnn-runtime`: the answers of a run folder, without TensorFlow and textrnn."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .cores import one_thread_per_product
from .errors import TextRNNError
from .serve.command import add_serve_command, run_serve_command

if TYPE_CHECKING:
    from .model import RuntimeModel

__all__ = ["main"]

STDIN = "-"
READ_BYTES = 1 << 16
"""The largest number of bytes that are read from stdin at a time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code.

    Args:
        arguments: The arguments of the command line; None: those of the process.
    """
    options = _parser().parse_args(arguments)
    one_thread_per_product()
    from .model import load

    try:
        if options.command == "serve":
            run_serve_command(options)
            return 0
        for fields in options.answer(load(options.run), options):
            print(_line(fields, as_json=options.as_json), flush=options.command == "stream")
    except TextRNNError as error:
        print(f"textrnn-runtime: error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has closed the pipe; Python must not report that once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("textrnn-runtime: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="textrnn-runtime", description="Answer texts with a trained classifier of textrnn."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, answer, about in (
        ("predict", _predict, "Print label, score and text, one line per text."),
        ("explain", _explain, "Print what each word of a text adds to the logit of its label."),
        ("stream", _stream, "Read stdin as one text, and print a line after each sentence."),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("run", metavar="RUN", help="Run folder, or a copy of its files.")
        command.add_argument("--json", dest="as_json", action="store_true", help="Print JSON.")
        command.set_defaults(answer=answer)
        if name == "predict":
            command.add_argument(
                "texts", metavar="TEXT", nargs="+", help="Text; - for the lines of stdin."
            )
        if name == "explain":
            command.add_argument("text", metavar="TEXT")
            command.add_argument(
                "--label", help="Label to explain; the predicted one if not given."
            )
    add_serve_command(commands)
    return parser


def _predict(model: RuntimeModel, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    texts: Any = options.texts
    if texts == [STDIN]:
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        texts = (line.rstrip("\r\n") for line in sys.stdin)
    for text, answer in model.predict_stream(texts):
        yield {"text": text, **answer.to_dict()}


def _explain(model: RuntimeModel, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    explanation = model.explain(options.text, label=options.label)
    if options.as_json:
        yield explanation.to_dict()
        return
    for word in explanation.words:
        yield {"label": explanation.label, "score": word.score, "text": word.text}


def _stream(model: RuntimeModel, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from .following import follow_sentences

    stream = model.stream()
    pieces = iter(lambda: os.read(sys.stdin.fileno(), READ_BYTES), b"")
    for sentence, answer in follow_sentences(stream, pieces):
        yield {"text": sentence.strip(), "tokens": answer.tokens, **answer.to_dict()}


def _line(fields: dict[str, Any], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(fields, ensure_ascii=False)
    labels = fields.get("labels") or [fields["label"] or "-"]
    return f"{';'.join(labels)}\t{fields['score']:.4f}\t{' '.join(fields['text'].split())}"
