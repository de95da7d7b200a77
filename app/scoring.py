"""POST /predict and POST /anomaly: thin views over ``app.answer``."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from app.answer import answer
from app.intake import check_content, read_body
from app.schemas import Route
from app.store import ModelStore
from app.telemetry import current_request

scoring = Blueprint("scoring", __name__)


@scoring.post("/predict")
def predict() -> Response:
    """Score transactions for fraud."""
    return _respond("predict")


@scoring.post("/anomaly")
def anomaly() -> Response:
    """Score transactions for being unusual."""
    return _respond("anomaly")


def _respond(route: Route) -> Response:
    """Hand the bytes of the request to the core, and those of the answer back to Flask."""
    environ = request.environ
    store: ModelStore = current_app.extensions["fraudscore"]
    check_content(environ)
    body = read_body(environ, current_app.config["MAX_CONTENT_LENGTH"])
    result = answer(store.current(), route, body, environ.get("QUERY_STRING", ""))
    current_request(environ).facts = result.facts
    return Response(result.body, result.status, result.headers)
