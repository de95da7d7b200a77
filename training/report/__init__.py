"""The training report: one self-contained page, its plots as pictures, its figures as JSON.

``report.json`` holds every figure; the page, the plots and the model card only show it. What all
reports are built of is in :mod:`training.report.page` and :mod:`training.report.drawing`.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from model.files import write_atomically
from model.printable import printable
from training.challenge import Challenge
from training.pipeline import Run
from training.report.card import trained_at, write_card
from training.report.facts import report_facts
from training.report.model_card import markdown_card, model_card
from training.report.plots import draw
from training.report.readings import readings
from training.report.remarks import headline, remarks
from training.report.sections import training_page
from training.report.writing import as_json, write_page
from training.verdict import Verdict

__all__ = ["trained_at", "write_card", "write_report"]


def write_report(
    run: Run,
    directory: Path,
    challenge: Challenge | None = None,
    command: str | None = None,
    *,
    made_at: datetime | None = None,
    verdict: Verdict | None = None,
) -> Path:
    """Write the report of a run: the same run and time, on the same machine, give the same bytes.

    Parameters
    ----------
    run : Run
    directory : Path
        Of all reports; this one goes to ``<name>/<version>/`` below it, as ``report.html``,
        ``report.json``, ``card.md``, ``card.json`` and a PNG for each plot.
    challenge : Challenge, optional
        What came of a comparison with the champion.
    command : str, optional
        What was typed to start the run.
    made_at : datetime, optional
        When.
    verdict : Verdict, optional
        What became of the model.

    Returns
    -------
    Path
        The page.
    """
    facts = report_facts(run, challenge, command, made_at, verdict)
    facts |= {
        "headline": headline(facts),
        "remarks": remarks(facts),
        "readings": readings(facts),
    }
    page = directory / run.artifact.name / run.artifact.version / "report.html"
    write_page(training_page(facts, draw(facts)), page)
    card = model_card(facts)
    write_atomically(page.with_name("card.json"), as_json(card))
    write_atomically(page.with_name("card.md"), printable(markdown_card(card)).encode())
    return page
