"""An exploration as a data scientist reads it on the terminal: the gist, and the advice."""

from __future__ import annotations

import shlex
from textwrap import wrap
from typing import Any

from rich.console import Console

from training.cli.console import heading
from training.report.formats import count, percent

Facts = dict[str, Any]

NAME_WIDTH = 18  # of a line's name and what is before it
INDENT = 4


def print_exploration(console: Console, facts: Facts) -> None:
    """Print what a table holds and what to do before training."""
    data, classes = facts["data"], facts["classes"]
    heading(console, "Data")
    kinds = ", ".join(f"{count(n)} {kind}" for kind, n in data["kinds"].items())
    rows = f"{count(data['rows'])} with {count(data['columns'])} columns ({kinds})"
    _print_line(console, "rows", rows)
    for part in ("label", "time", "amount", "id"):
        _print_line(console, part, data[part] or "none found")
    if classes is not None:
        share = classes["fraud_share"]["value"]
        _print_line(console, "fraud", f"{count(classes['fraud'])} ({percent(share)})")
    _print_line(console, "missing", f"{percent(data['missing_share'])} of all values")
    _print_line(console, "repeated", f"{count(facts['repeats']['rows'])} rows")
    heading(console, "Advice")
    for own in facts["advice"]:
        option = f" [{own['option']}]" if own["option"] else ""
        _print_wrapped(console, f"{own['topic']}{option}", 2, 4, style="bold")
        _print_wrapped(console, own["text"], INDENT, INDENT)
    if facts["command"] is None:
        heading(console, "No command can train on this table as it is")
        _print_wrapped(console, f"{facts['refusal']}.", 2, 2)
    else:
        heading(console, "Train with")
        for text in command_lines(facts["command"], console.width):
            console.print(text, markup=False, highlight=False, soft_wrap=True)


def command_lines(command: str, width: int) -> list[str]:
    """Return a command in lines of at most so many letters where its words allow, to be pasted.

    Lines are broken before options, with the backslash of a shell.
    """
    words = [shlex.quote(word) for word in shlex.split(command)]
    starts = [n for n, word in enumerate(words) if word.startswith("--")]
    program = " ".join(words[: starts[0]])
    ends = [*starts[1:], len(words)]
    pieces = [" ".join(words[start:end]) for start, end in zip(starts, ends, strict=True)]
    lines = [f"  {program}"]
    for piece in pieces:
        if len(lines[-1]) + len(piece) + len("  \\") <= width:
            lines[-1] += f" {piece}"
        else:
            lines[-1] += " \\"
            lines.append(f"{' ' * INDENT}{piece}")
    return lines


def _print_line(console: Console, name: str, value: str) -> None:
    """Print a name and its value, which goes on below itself."""
    first, *others = _wrapped(value, console.width - NAME_WIDTH)
    texts = [f"  {name:<15} {first}", *(f"{' ' * NAME_WIDTH}{text}" for text in others)]
    for text in texts:
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _print_wrapped(console: Console, text: str, first: int, others: int, style: str = "") -> None:
    """Print a text, broken between words, with the indents of its first line and of the others."""
    widest = console.width - max(first, others)
    for number, part in enumerate(_wrapped(text, widest)):
        indent = " " * (others if number else first)
        console.print(f"{indent}{part}", style=style, markup=False, highlight=False, soft_wrap=True)


def _wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines: words stay whole, also those that are longer than a line."""
    # a space that does not break (before "%") is none of textwrap's
    return wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False) or [""]
