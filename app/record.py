"""What is known about a request by the time it has been answered."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from opentelemetry.trace import Span

    from app.answer import Answer, Observed
    from app.errors import Problem

_KEY = "fraudscore.request"
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(slots=True)
class RequestRecord:
    """Filled in on the way of a request; the log line and the metrics are made of it."""

    request_id: str
    method: str
    started: float = field(default_factory=perf_counter)
    status: int = 500
    route: str | None = None  # the rule that matched, never the path, which is the client's
    facts: Mapping[str, object] = field(default_factory=dict)
    observed: Observed | None = None
    problem: Problem | None = None
    client: str | None = None  # the name of the key that was shown, never the key
    span: Span | None = None

    @property
    def duration_s(self) -> float:
        """How long the request has taken so far."""
        return perf_counter() - self.started

    def note(self, answer: Answer) -> None:
        """Keep what may be said about an answer."""
        self.facts = answer.facts
        self.observed = answer.observed


def begin_record(environ: WSGIEnvironment) -> RequestRecord:
    """Name a request and attach its record; an id from outside must be of a safe alphabet."""
    given = environ.get("HTTP_X_REQUEST_ID")
    if given is None or not _SAFE_ID.fullmatch(given):
        given = secrets.token_hex(16)
    record = environ[_KEY] = RequestRecord(given, environ["REQUEST_METHOD"])
    return record


def current_record(environ: WSGIEnvironment) -> RequestRecord:
    """Return the record of the request at hand."""
    record: RequestRecord = environ[_KEY]
    return record
