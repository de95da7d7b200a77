"""All that a champion will be asked, asked once before it answers anybody.

An artifact that has proven itself may hold what nobody thought of when loading was written, and
what then fails every request. It is found out here, while the model before goes on serving.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from app.answer import TASKS, answer
from app.documentation.openapi import openapi_document
from app.documentation.operations import all_of
from app.json_provider import dumps
from app.observability.collector import ServiceCollector
from app.observability.counts import ModelCounts
from app.observability.metrics import Series
from model.card import describe
from model.chunks import chunks
from model.errors import ArtifactFormatError
from model.npz import first_line

if TYPE_CHECKING:
    from app.store import Champion

MOST_ROWS = 16  # a request: each part of the work is short, so that it can be paced


def rehearse(champion: Champion) -> None:
    """Answer the golden transactions in full, and write card, metrics and description.

    Nothing of it is counted.

    Raises
    ------
    ArtifactFormatError
        If any of that cannot be written.
    """
    artifact = champion.artifact
    try:
        _write_metrics(_answer_golden_transactions(champion))
        dumps({**describe(artifact), "promoted_at": champion.promoted_at})
        routes = {operation.path for operation in all_of(artifact.scorer.tasks)}
        dumps(openapi_document(champion, routes, (), ""))
    except Exception as error:  # whatever it is, it would come back with every request
        reason = f"what it says cannot be sent: {first_line(error)}"
        raise ArtifactFormatError(artifact.path, reason) from error


def _answer_golden_transactions(champion: Champion) -> ModelCounts:
    """Answer by every route of the model, with all that can be asked for; return what counts."""
    counts = ModelCounts(champion.artifact)
    tasks, transactions = champion.artifact.scorer.tasks, champion.artifact.golden_transactions
    for route in [route for route, task in TASKS.items() if task in tasks]:
        has_scores = route == "predict" and "anomaly" in tasks
        query = "explain=true&anomaly=true" if has_scores else "explain=true"
        for rows in chunks(len(transactions), min(MOST_ROWS, champion.requests.max_rows)):
            observed = answer(champion, route, dumps(transactions[rows]), query).observed
            if observed is not None:
                counts.add(observed)
    return counts


def _write_metrics(counts: ModelCounts) -> None:
    registry = CollectorRegistry()
    registry.register(ServiceCollector(_Fixed(counts.series())))
    generate_latest(registry)


class _Fixed:
    """Numbers that are at hand, of no process."""

    def __init__(self, series: Series) -> None:
        self._series = series

    def collect(self) -> tuple[Series, list[int]]:
        """Return them."""
        return self._series, []
