"""How much a request asks for: what takes long is answered beside the event loop.

Whoever sends a request decides what it costs, so the loop takes only what is quick whatever it
holds: few enough rows for the champion at hand, measured before it answers, and few enough bytes.
The worker asks this; it knows neither of rows nor of models.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import ValidationError

from app.answer import TASKS, answer
from app.json_provider import dumps
from model.golden import golden_rows
from model.reasons import describe

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from app.schemas import Route
    from app.store import Champion, ModelStore

TakesLong = Callable[["WSGIEnvironment", bytes], bool]

LOOP_SECONDS = 0.005  # that the rows of one request may take on the event loop
MOST_BYTES = 64 * 1024  # reading them takes less than that, and so does refusing them
_MOST_ROWS = 1024
# Written anew for every scrape, or once for every champion.
_PAGES = frozenset({"metrics", "model", "docs", "openapi.json"})
_SAMPLE = 32
_REPETITIONS = 5  # the quickest counts: whatever else the machine does only adds to it


def effort_of(store: ModelStore) -> TakesLong:
    """Return what says of a request, before it is parsed, whether it may take long."""

    def takes_long(environ: WSGIEnvironment, body: bytes) -> bool:
        if len(body) > MOST_BYTES or body.count(b"{") > store.current().rows_at_once:
            return True
        path: str = environ["PATH_INFO"]
        return path.rpartition("/")[2] in _PAGES  # wherever the service is mounted

    return takes_long


def rows_at_once(champion: Champion) -> int:
    """Measure how many rows a champion answers in the time that the event loop has for a request.

    Of all that may be asked the most expensive counts, an explanation of every row among it: which
    rows are explained shows only once they are scored. So does a row that is refused.
    """
    spec = champion.artifact.scorer.spec
    sample = golden_rows(spec, np.random.default_rng(0), _SAMPLE)
    rows: list[Any] = [
        {f.name: describe(f, cell, 0.0).value for f, cell in zip(spec.features, row, strict=True)}
        for row in sample.tolist()
    ]
    try:
        champion.requests.load(rows)
    except ValidationError:
        return 0  # of such a model it is not known
    whole, broken = dumps(rows), dumps([*rows, None])
    seconds = 0.0
    for route, query in _dearest(champion.artifact.scorer.tasks):
        for body in (whole, broken):
            seconds = max(seconds, _seconds(champion, route, body, query))
    return min(_MOST_ROWS, int(LOOP_SECONDS * _SAMPLE / seconds))


def _dearest(tasks: frozenset[str]) -> list[tuple[Route, str]]:
    """Return what costs most on each route."""
    both = "explain=true&anomaly=true" if len(tasks) == len(TASKS) else "explain=true"
    queries: dict[Route, str] = {"predict": both, "anomaly": "explain=true"}
    return [(route, query) for route, query in queries.items() if TASKS[route] in tasks]


def _seconds(champion: Champion, route: Route, body: bytes, query: str) -> float:
    """Return the processor time of an answer."""
    times = []
    for _ in range(_REPETITIONS):
        began = time.thread_time()
        with suppress(ValidationError):
            answer(champion, route, body, query)
        times.append(time.thread_time() - began)
    return min(times)
