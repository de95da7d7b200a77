"""Request ids, the headers that every answer carries, and one JSON log line a request."""

from __future__ import annotations

import logging
import re
import secrets
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, request

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

_KEY = "fraudscore.request"
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_HEADERS = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]


@dataclass(slots=True)
class RequestRecord:
    """What is known about a request by the time it has been answered."""

    request_id: str
    started: float
    status: int = 500
    route: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


class RequestLayer:
    """The layer around the application that every request passes, whatever becomes of it."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Name the request, let it be answered, and log it."""
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _SAFE_ID.fullmatch(given) else secrets.token_hex(16)
        record = environ[_KEY] = RequestRecord(request_id, perf_counter())

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
        ) -> Any:
            record.status = int(status[:3])
            added = [*_HEADERS, ("X-Request-ID", request_id)]
            return start_response(status, headers + added, exc_info)

        try:
            return self.application(environ, start)
        finally:
            _log(record, environ["REQUEST_METHOD"])


class JSONFormatter(logging.Formatter):
    """Writes a log record as one line of JSON; Gunicorn's own messages take this form too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def current_request(environ: WSGIEnvironment) -> RequestRecord:
    """Return the record of the request at hand."""
    record: RequestRecord = environ[_KEY]
    return record


def init_app(app: Flask, log_level: str) -> None:
    """Put the layer around the application and give its log lines a way out."""
    package_logger = logging.getLogger(__package__)
    package_logger.setLevel(log_level)
    if not package_logger.hasHandlers():  # served by something that set up no logging
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JSONFormatter())
        package_logger.addHandler(handler)

    @app.before_request
    def note_route() -> None:
        """Log the rule that matched, never the path, which is the client's to invent."""
        rule = request.url_rule
        current_request(request.environ).route = rule.rule if rule else None

    app.wsgi_app = RequestLayer(app.wsgi_app)  # type: ignore[method-assign]


def _log(record: RequestRecord, method: str) -> None:
    """Write the line of an answered request: what happened and how long it took, no values."""
    level = logging.ERROR if record.status >= 500 else logging.INFO
    facts = {
        "request_id": record.request_id,
        "method": method,
        "route": record.route,
        "status": record.status,
        "duration_ms": round((perf_counter() - record.started) * 1000, 3),
        **record.facts,
    }
    logger.log(level, "request", extra={"facts": facts})
