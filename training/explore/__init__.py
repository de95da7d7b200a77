"""Exploration: what a table is like before a model is trained on it, as a page with advice.

The table is read in blocks and never held as a whole. A first look finds out what the columns mean,
by the rules of training (:mod:`~training.explore.layout`); a seeded sample
(:mod:`~training.explore.sample`) says where the values of each column are cut into bins
(:mod:`~training.explore.grid`); a last reading counts all rows in those bins, by class, by era and
by half (:mod:`~training.explore.tally`). All that is told follows from the counts
(:mod:`~training.explore.facts`), and nothing depends on how many rows are read at a time. The
command that is advised was tried (:mod:`~training.explore.trial`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.config import RunConfig
from training.explore.comparison_plots import draw_comparisons
from training.explore.facts import exploration_facts
from training.explore.feature_plots import draw_features
from training.explore.page import exploration_page
from training.explore.reading import OnRows
from training.explore.survey import Survey, survey
from training.explore.traffic_plots import draw_traffic
from training.report.writing import write_page

__all__ = ["OnRows", "Survey", "exploration_facts", "survey", "write_exploration"]


def write_exploration(facts: dict[str, Any], config: RunConfig) -> Path:
    """Write the report of an exploration: the same facts give the same bytes.

    Parameters
    ----------
    facts : dict
        Of :func:`exploration_facts`.
    config : RunConfig
        The report goes to ``<reports>/<name>/explore/``, as ``report.html``, ``report.json`` and a
        PNG for each plot.

    Returns
    -------
    Path
        The page.
    """
    drawn = (*draw_traffic(facts), *draw_comparisons(facts), *draw_features(facts))
    plots = {plot.name: plot for plot in drawn}
    page = Path(config.reports) / config.model_name / "explore" / "report.html"
    write_page(exploration_page(facts, plots), page)
    return page
