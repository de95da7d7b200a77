"""The routes as the document describes them: who may ask, what comes back, what can go wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from marshmallow import Schema

from app import responses
from app.answer import TASKS
from app.schemas import Route

DESCRIPTION = (
    "Scores transactions for fraud and for being unusual. Every answer that is not a success is a "
    "problem document (RFC 9457). Besides the statuses listed with each route: an unknown address "
    "is 404, an unknown method 405 with Allow, and a request that breaks HTTP itself is refused "
    "with 400, 408, 413, 414, 431, 501 or 505 before a route is chosen. "
    "HEAD is answered wherever GET is."
)

SECURITY_SCHEMES: Mapping[str, Mapping[str, str]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The API key as Authorization: Bearer.",
    },
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same key in a header of its own.",
    },
}

_RETRY = {"Retry-After": "Seconds after which to try again."}
PROBLEMS: Mapping[int, tuple[str, Mapping[str, str]]] = {
    400: ("The body is no JSON or could not be read, or the request has no Host header.", {}),
    401: ("The API key is missing or unknown.", {"WWW-Authenticate": "How to send a key."}),
    413: ("The body is larger than this service takes.", {}),
    415: (
        "The body is not plain JSON in UTF-8.",
        {"Accept": "The media type that is.", "Accept-Encoding": "The coding that is."},
    ),
    422: ("The JSON holds transactions or options that cannot be accepted; errors names them.", {}),
    429: ("Too many requests.", _RETRY),
    500: ("Something failed here. The log has it under the request id.", {}),
    501: ("The transfer coding of the body is unknown.", {}),
    503: ("No model, draining, or overloaded.", _RETRY),
}

_ALWAYS = (400, 500, 503)
_ANSWERS = (400, 401, 429, 500, 503)
_SCORES = (400, 401, 413, 415, 422, 429, 500, 501, 503)


@dataclass(frozen=True)
class Operation:
    """One method of one route; the answers are schemas, or media types of text."""

    path: str
    name: str
    summary: str
    tag: str
    answers: tuple[type[Schema], ...] | tuple[str, ...]
    method: str = "get"
    problems: tuple[int, ...] = _ANSWERS


SCORING: Mapping[str, Route] = {"/predict": "predict", "/anomaly": "anomaly"}
_SCORING_OPERATIONS = (
    Operation(
        "/predict",
        "predict",
        "How likely is fraud, and what to do about it",
        "Scoring",
        (responses.Prediction, responses.Predictions),
        "post",
        _SCORES,
    ),
    Operation(
        "/anomaly",
        "anomaly",
        "How unusual is each transaction",
        "Scoring",
        (responses.Anomaly, responses.Anomalies),
        "post",
        _SCORES,
    ),
)
_HEALTH = (responses.Health,)
_METRICS = ("text/plain", "application/openmetrics-text")  # as the client prefers
_OTHER_OPERATIONS = (
    Operation("/model", "model", "The card of the model", "Model", (responses.Card,)),
    Operation("/health", "health", "Whether it can score", "Health", _HEALTH, problems=_ALWAYS),
    Operation(
        "/health/ready", "ready", "The same, for balancers", "Health", _HEALTH, problems=_ALWAYS
    ),
    Operation(
        "/health/live",
        "live",
        "Whether the process answers",
        "Health",
        (responses.Live,),
        problems=_ALWAYS,
    ),
    Operation("/metrics", "metrics", "Figures for Prometheus", "Service", _METRICS),
    Operation("/openapi.json", "openapi", "This document", "Service", (responses.OpenAPI,)),
    Operation("/docs", "docs", "This document as a page", "Service", ("text/html",)),
)


def all_of(tasks: frozenset[str]) -> Iterator[Operation]:
    """Go through the operations that an artifact of these tasks can answer."""
    for operation in _SCORING_OPERATIONS:
        if TASKS[SCORING[operation.path]] in tasks:
            yield operation
    yield from _OTHER_OPERATIONS
