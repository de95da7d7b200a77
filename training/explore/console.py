"""An exploration as a data scientist reads it on the terminal: the gist, and the advice."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from training.cli.console import heading, line
from training.report.formats import count, percent

Facts = dict[str, Any]


def print_exploration(console: Console, facts: Facts) -> None:
    """Print what a table holds and what to do before training."""
    data, classes = facts["data"], facts["classes"]
    heading(console, "Data")
    kinds = ", ".join(f"{count(n)} {kind}" for kind, n in data["kinds"].items())
    line(console, "rows", f"{count(data['rows'])} with {count(data['columns'])} columns ({kinds})")
    for part in ("label", "time", "amount", "id"):
        line(console, part, data[part] or "none found")
    if classes is not None:
        share = classes["fraud_share"]["value"]
        line(console, "fraud", f"{count(classes['fraud'])} ({percent(share)})")
    line(console, "missing", f"{percent(data['missing_share'])} of all values")
    line(console, "repeated", f"{count(facts['repeats']['rows'])} rows")
    heading(console, "Advice")
    for own in facts["advice"]:
        option = f" [{own['option']}]" if own["option"] else ""
        console.print(f"  {own['topic']}{option}", style="bold", markup=False, highlight=False)
        console.print(f"    {own['text']}", markup=False, highlight=False, soft_wrap=True)
    line(console, "train with", facts["command"])
