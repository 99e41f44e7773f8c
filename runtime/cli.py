"""The command `textrnn-runtime`: the answers of a run folder, without TensorFlow and textrnn."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from .cores import one_thread_per_product
from .distribution import version
from .errors import TextRNNError
from .serve.command import add_serve_command, run_serve_command
from .serve.options import with_options

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
    try:
        if options.command == "serve":
            run_serve_command(options)
            return 0
        for line in options.lines(options):
            print(line, flush=options.command == "stream")
    except TextRNNError as error:
        message = with_options(str(error)) if options.command == "serve" else str(error)
        print(f"textrnn-runtime: error: {message}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has closed the pipe; Python must not report that once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("textrnn-runtime: interrupted", file=sys.stderr)
        return 130
    return 0


class _Version(argparse.Action):
    """Prints the version; unlike argparse's action, it looks for it only then."""

    def __call__(self, parser: argparse.ArgumentParser, *values: object) -> None:
        """Prints the version and ends the command."""
        print(f"textrnn-runtime, version {version()}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="textrnn-runtime", description="Answer texts with a trained model of textrnn."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="Show the version and exit.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, lines, about in (
        ("predict", _predict, "Print label, score and text, one line per text."),
        ("score", _score, "Print how probable texts are by a language model."),
        ("explain", _explain, "Print what each word of a text adds to the logit of its label."),
        ("stream", _stream, "Read stdin as one text, and print a line after each sentence."),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("run", metavar="RUN", help="Run folder, or a copy of its files.")
        command.add_argument("--json", dest="as_json", action="store_true", help="Print JSON.")
        command.set_defaults(lines=lines)
        if name in ("predict", "score"):
            command.add_argument(
                "texts", metavar="TEXT", nargs="+", help="Text; - for the lines of stdin."
            )
        if name == "score":
            command.add_argument(
                "--per-token",
                action="store_true",
                help="Print also the log-probability of each token; implies --json.",
            )
        if name == "explain":
            command.add_argument("text", metavar="TEXT")
            command.add_argument(
                "--label", help="Label to explain; the predicted one if not given."
            )
    add_serve_command(commands)
    return parser


def _texts(options: argparse.Namespace) -> Any:
    """Returns the texts of a command: its arguments, or the lines of stdin."""
    if options.texts != [STDIN]:
        return options.texts
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    return (line.rstrip("\r\n") for line in sys.stdin)


def _predict(options: argparse.Namespace) -> Iterator[str]:
    from .model import load

    for text, answer in load(options.run).predict_stream(_texts(options)):
        yield _line({"text": text, **answer.to_dict()}, as_json=options.as_json)


def _score(options: argparse.Namespace) -> Iterator[str]:
    from .language_model import load_language_model

    model = load_language_model(options.run)
    for text, likelihood in model.score_stream(_texts(options)):
        if options.as_json or options.per_token:
            fields = {"text": text, **likelihood.to_dict(per_token=options.per_token)}
            yield json.dumps(fields, ensure_ascii=False)
        else:
            yield (
                f"{likelihood.log_likelihood:.3f}\t{likelihood.bits_per_token:.4f}\t"
                f"{likelihood.perplexity:.1f}\t{' '.join(text.split())}"
            )


def _explain(options: argparse.Namespace) -> Iterator[str]:
    from .model import load

    explanation = load(options.run).explain(options.text, label=options.label)
    if options.as_json:
        yield json.dumps(explanation.to_dict(), ensure_ascii=False)
        return
    for word in explanation.words:
        fields = {"label": explanation.label, "score": word.score, "text": word.text}
        yield _line(fields, as_json=False)


def _stream(options: argparse.Namespace) -> Iterator[str]:
    from .following import follow_sentences
    from .model import load

    stream = load(options.run).stream()
    pieces = iter(lambda: os.read(sys.stdin.fileno(), READ_BYTES), b"")
    for sentence, answer in follow_sentences(stream, pieces):
        fields = {"text": sentence.strip(), "tokens": answer.tokens, **answer.to_dict()}
        yield _line(fields, as_json=options.as_json)


def _line(fields: dict[str, Any], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(fields, ensure_ascii=False)
    labels = fields.get("labels") or [fields["label"] or "-"]
    return f"{';'.join(labels)}\t{fields['score']:.4f}\t{' '.join(fields['text'].split())}"
