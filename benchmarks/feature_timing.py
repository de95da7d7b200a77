"""Times the application in a process of its own: ``python -m benchmarks.feature_timing JSON``.

Every variant has a process, because logging, metrics and settings are matters of a whole one. The
settings come from the environment, as for the service. Log lines go to the standard output, the
shortest microseconds of each part, as JSON, into a file.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from app import create_app
from app.answer import answer
from app.schemas import Batch
from benchmarks.turns import timed_rounds
from model.errors import FraudscoreError
from model.features import FeatureSpec

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ROUNDS, SECONDS_A_TURN = 25, 0.01


@dataclass(frozen=True)
class Timing:
    """Files: a request of one transaction, one of many, the result; a key; whether to count."""

    single: str
    batch: str
    result: str
    key: str | None = None
    is_counted: bool = True


class Uncounted:
    """Counts nothing: what is left of the observer of requests when there are no metrics."""

    def begin(self) -> None:
        """Let a request come in."""

    def end(self, *_: object) -> None:
        """Let a request go."""


class Unchecked:
    """Takes transactions as they come: what is left of reading a body when nothing is checked."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._cells = itemgetter(*(feature.name for feature in spec.features))

    def load(self, document: Any) -> tuple[Batch, bool]:
        """Return the numbers of the transactions, and whether it was a single one."""
        is_single = isinstance(document, dict)
        rows = [document] if is_single else document
        return Batch(np.array([self._cells(row) for row in rows], np.float64), {}), is_single


def call(application: WSGIApplication, body: bytes, key: str | None = None) -> bytes:
    """Put one request to a WSGI application, as our worker does, and return the whole answer."""
    statuses: list[str] = []

    def start_response(status: str, *_: object) -> Any:
        statuses.append(status)

    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/predict",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "fraudscore.body": body,
    }
    if key is not None:
        environ["HTTP_X_API_KEY"] = key
    parts = application(environ, start_response)
    answered = b"".join(parts)
    close = getattr(parts, "close", None)
    if close is not None:
        close()
    if statuses != ["200 OK"]:
        raise SystemExit(f"asked for a score, got {statuses}: {answered.decode()}")
    return answered


def nothing(_: object, start_response: Any) -> list[bytes]:
    """Answer at once: what a call costs around the application."""
    start_response("200 OK", [])
    return [b""]


def seconds_a_call(task: Callable[[], object], calls: int) -> float:
    """Return how long one call takes, on average over some."""
    began = process_time()
    for _ in range(calls):
        task()
    return (process_time() - began) / calls


def calls_a_turn(task: Callable[[], object]) -> int:
    """Return how many calls fill a turn."""
    seconds_a_call(task, 3)
    return max(1, int(SECONDS_A_TURN / max(seconds_a_call(task, 3), 1e-6)))


def tasks(application: Any, timing: Timing) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name."""
    body, batch = Path(timing.single).read_bytes(), Path(timing.batch).read_bytes()
    champion = application.extensions["fraudscore"].current()
    unchecked = replace(champion, requests=Unchecked(champion.artifact.scorer.spec))
    return {
        "nothing": partial(call, nothing, body, timing.key),
        "request": partial(call, application, body, timing.key),
        "answer": partial(answer, champion, "predict", body),
        "answer, unchecked": partial(answer, unchecked, "predict", body),
        "batch": partial(answer, champion, "predict", batch),
        "batch, unchecked": partial(answer, unchecked, "predict", batch),
    }


def assembled(timing: Timing) -> Any:
    """Return the application; leave with one line where that is not possible."""
    try:
        if not timing.is_counted:
            from app.observability import observer

            observer.Counts = Uncounted
        return create_app()
    except (FraudscoreError, ImportError) as error:
        sys.exit(str(error))


def main(timing: Timing) -> None:
    """Time everything in turns and write the figures down."""
    timed = tasks(assembled(timing), timing)
    runs = {name: partial(seconds_a_call, task, calls_a_turn(task)) for name, task in timed.items()}
    micros = {name: 1e6 * min(own) for name, own in timed_rounds(runs, ROUNDS).items()}
    Path(timing.result).write_text(json.dumps(micros))


if __name__ == "__main__":
    main(Timing(**json.loads(sys.argv[1])))
