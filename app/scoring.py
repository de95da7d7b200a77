"""POST /predict and POST /anomaly: from the environment of a request to its answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, request

from app.answer import Answer, answer
from app.intake import check_content, read_body
from app.layer import Lane
from app.record import current_record
from app.schemas import Route
from app.store import ModelStore

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

scoring = Blueprint("scoring", __name__)


@scoring.post("/predict")
@scoring.post("/anomaly")
def score() -> Response:
    """Score transactions for fraud, or for being unusual."""
    environ = request.environ
    lane: Lane = current_app.extensions["fraudscore.lane"]
    result = lane[environ["PATH_INFO"]](environ)
    current_record(environ).note(result)
    return Response(result.body, result.status, result.headers)


def scoring_lane(store: ModelStore, max_body_bytes: int) -> Lane:
    """Return what answers a POST to each scoring path."""
    routes: dict[str, Route] = {"/predict": "predict", "/anomaly": "anomaly"}
    return {path: partial(_respond, store, route, max_body_bytes) for path, route in routes.items()}


def _respond(
    store: ModelStore, route: Route, max_body_bytes: int, environ: WSGIEnvironment
) -> Answer:
    """Check what carries the transactions, and have them scored."""
    check_content(environ)
    body = read_body(environ, max_body_bytes)
    return answer(store.current(), route, body, environ.get("QUERY_STRING", ""))
