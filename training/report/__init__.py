"""The training report: one self-contained page, its plots as pictures, its figures as JSON.

``report.json`` holds every figure; the page, the plots and the model card only show it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from model.files import write_atomically
from training.pipeline import Run
from training.report.card import markdown_card, trained_at, write_card
from training.report.facts import report_facts
from training.report.formats import formatted
from training.report.plots import draw
from training.report.readings import readings
from training.report.remarks import headline, remarks

__all__ = ["trained_at", "write_card", "write_report"]

TEMPLATES = Path(__file__).parent / "templates"

Facts = dict[str, Any]


def write_report(run: Run, directory: Path) -> Path:
    """Write the report of a run: the same run gives the same bytes.

    Parameters
    ----------
    run : Run
    directory : Path
        Of all reports; this one goes to ``<name>/<version>/`` below it, as ``report.html``,
        ``report.json``, ``card.md`` and a PNG for each plot.

    Returns
    -------
    Path
        The page.
    """
    facts = report_facts(run)
    facts |= {
        "headline": headline(facts),
        "remarks": remarks(facts),
        "readings": readings(facts),
    }
    plots = draw(facts)
    folder = directory / run.artifact.name / run.artifact.version
    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / "report.json", f"{text}\n".encode())
    write_atomically(folder / "card.md", markdown_card(facts).encode())
    for name, plot in plots.items():
        write_atomically(folder / f"{name}.png", plot.png())
    page = folder / "report.html"
    template = _environment().get_template("report.html")
    svgs = {
        name: {"title": plot.title, "svg": Markup(plot.svg())}  # nosec B704 # noqa: S704 (drawn by us)
        for name, plot in plots.items()
    }
    html = template.render(facts=facts, plots=svgs, figure=_figure_of(facts))
    write_atomically(page, html.encode())
    return page


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _figure_of(facts: Facts) -> Callable[[str, str], Markup]:
    """Return the template's only way to show a figure: by its place in the facts.

    The place (a JSON pointer) and the unrounded value stay readable in the page.
    """

    def figure(pointer: str, form: str) -> Markup:
        value: Any = facts
        for key in pointer.split("/")[1:]:
            value = value[int(key)] if isinstance(value, list) else value[key]
        shown = formatted(value, form)
        if value is None:
            return Markup('<span class="none">{}</span>').format(shown)
        tag = Markup('<data value="{}" data-pointer="{}">{}</data>')
        return tag.format(json.dumps(value), pointer, shown)

    return figure
