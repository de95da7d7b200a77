"""A page → one self-contained HTML file, its facts as JSON and its plots as PNG beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from model.files import write_atomically
from model.printable import printable
from training.report.formats import formatted
from training.report.page import (
    Block,
    Cell,
    Code,
    Facts,
    Figure,
    Lines,
    Page,
    Table,
    Value,
    Words,
    resolved,
)

TEMPLATES = Path(__file__).parent / "templates"
TONES = {"json": "long", "words": "long", "code": "code"}


def write_page(page: Page, path: Path) -> Path:
    """Write a page; the same page gives the same bytes.

    Parameters
    ----------
    page : Page
    path : Path
        Ends in ``.html``; ``<stem>.json`` and ``<stem>-<plot>.png`` are written beside it.

    Returns
    -------
    Path
        The page.
    """
    html = printable(rendered(page))  # HTML has no control characters
    for plot in page.plots():
        write_atomically(path.with_name(f"{path.stem}-{plot.name}.png"), plot.png())
    write_atomically(path.with_suffix(".json"), as_json(page.facts))
    write_atomically(path, html.encode())
    return path


def as_json(facts: Facts) -> bytes:
    """Return facts as a JSON file has them."""
    return f"{json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)}\n".encode()


def rendered(page: Page) -> str:
    """Return a page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "words": partial(words, facts=page.facts),
        "cell": as_cell,
        "kind": lambda block: type(block).__name__,
        "layout": layout,
        "drawn": lambda plot: Markup(plot.svg()),  # nosec B704 # noqa: S704 (drawn by us)
    }
    return environment.get_template("page.html").render(page=page, facts=page.facts)


def words(shown: Words | Lines, facts: Facts) -> Markup:
    """Return words as HTML; figures keep their place in the facts and their unrounded value."""
    if isinstance(shown, str):
        return escape(shown)
    if isinstance(shown, Code):
        return Markup('<code class="long">{}</code>').format(shown.text)
    if isinstance(shown, Lines):
        line = Markup('<span class="line">{}</span>')
        return Markup(" ").join(line.format(words(part, facts)) for part in shown.lines)
    if isinstance(shown, Value):
        return _estimate(shown, facts) if shown.has_interval else _figure(shown, facts)
    return Markup("").join(words(part, facts) for part in shown)


def _figure(value: Value, facts: Facts) -> Markup:
    found = resolved(facts, value.pointer)
    text = json.dumps(found, ensure_ascii=False)
    tag = Markup('<data value="{}" data-pointer="{}" class="{}">{}</data>')
    tone = TONES.get(value.form, "none" if found is None else "figure")
    return tag.format(text, value.pointer, tone, formatted(found, value.form))


def _estimate(value: Value, facts: Facts) -> Markup:
    parts = [Value(f"{value.pointer}/{name}", value.form) for name in ("value", "low", "high")]
    shown, low, high = (_figure(part, facts) for part in parts)
    if resolved(facts, parts[1].pointer) is None:
        return shown
    return Markup('{}<span class="interval"> {} to {}</span>').format(shown, low, high)


def as_cell(cell: Cell | Words) -> Cell:
    """Return a place of a table in full."""
    return cell if isinstance(cell, Cell) else Cell(cell)


def layout(blocks: Sequence[Block]) -> list[tuple[str, list[Any]]]:
    """Return blocks in rows: ("pair", halves that share rows), ("lone", …) or ("wide", …)."""
    rows: list[tuple[str, list[Any]]] = []
    for is_half, group in groupby(blocks, _is_half):
        members = list(group)
        n_paired = len(members) - len(members) % 2 if is_half else 0
        if n_paired:
            rows.append(("pair", members[:n_paired]))
        if members[n_paired:]:
            rows.append(("lone" if is_half else "wide", members[n_paired:]))
    return rows


def _is_half(block: Block) -> bool:
    return isinstance(block, Figure) or (isinstance(block, Table) and block.is_half)
