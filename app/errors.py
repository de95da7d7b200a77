"""Every exception becomes one shape: a problem document as RFC 9457 describes it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any

from flask import Flask, Response, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from marshmallow import ValidationError
from werkzeug.exceptions import ClientDisconnected, HTTPException, UnsupportedMediaType

from app.answer import Answer
from app.drain import DrainingError
from app.json_provider import MalformedJSONError, dumps
from app.record import RequestRecord, current_record
from app.refusal import RefusedError
from model.errors import TaskError

logger = logging.getLogger(__name__)

# Names that newer versions of Python give to these two (RFC 9110).
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not answer to this method.",
}
_ACCEPTED = (("Accept", "application/json"), ("Accept-Encoding", "identity"))
_CLOSE = (("Connection", "close"),)
# However much is wrong with a body, the answer stays shorter than the body.
_MOST_NAMES = 100
_LONGEST_NAME = 128


@dataclass(frozen=True)
class Problem:
    """What a client is told about a request that was not answered."""

    status: int
    detail: str
    errors: Mapping[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def answer(self, request_id: str) -> Answer:
        """Write the problem document."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": _title(self.status),
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.errors is not None:
            document["errors"] = self.errors
        headers = (("Content-Type", "application/problem+json"), *self.headers)
        return Answer(self.status, headers, dumps(document))


def problem_of(error: Exception) -> Problem:
    """Say which problem an exception is; one that nobody expected stays a mystery to the client."""
    match error:
        case RefusedError():
            return Problem(error.status, error.detail, headers=error.headers)
        case MalformedJSONError():
            return Problem(400, str(error))
        case ValidationError():
            detail = "The request is well formed, but it holds values that cannot be accepted."
            return Problem(422, detail, _cut(error.messages_dict))
        case TaskError():
            return Problem(409, f"This cannot be answered: {error}.")
        case DrainingError():
            return Problem(503, f"{error}.")
        case ParseException() | ClientDisconnected():
            # Raised while the body is read. Where the next request begins is unknown.
            return Problem(400, "The body could not be read to its end.", headers=_CLOSE)
        case HTTPException(code=int(status)) if status < 500:
            # A description of the class was written for web pages; one of the instance is ours.
            own = vars(error).get("description")
            detail = own or _DETAILS.get(status) or f"{_title(status)}."
            return Problem(status, detail, headers=_extra_headers(error))
        case HTTPException(code=int(status)) if status > 500:
            return Problem(status, f"{_title(status)}.", headers=_extra_headers(error))
    return Problem(500, "Something went wrong here. The log has it under the request id.")


def answer_to(error: Exception, record: RequestRecord) -> Answer:
    """Return the problem document of an exception, which the record keeps and the log may hold."""
    problem = record.problem = problem_of(error)
    if problem.status == 500:
        facts = {"request_id": record.request_id, "exception": _where(error)}
        logger.error("failed", extra={"facts": facts})
    return problem.answer(record.request_id)


def init_app(app: Flask) -> None:
    """Answer every exception inside Flask with its problem document."""

    @app.errorhandler(Exception)
    def handle(error: Exception) -> Response:
        answer = answer_to(error, current_record(request.environ))
        return Response(answer.body, answer.status, answer.headers)


def _where(error: BaseException | None) -> str:
    """Say which exception came from where; its text is left out, for it may repeat a value."""
    steps = []
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        steps.append(f"{frames}{type(error).__name__}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(reversed(steps))


def _title(status: int) -> str:
    """Return the name of a status."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def _extra_headers(error: HTTPException) -> tuple[tuple[str, str], ...]:
    """Return the headers that belong to an error, such as Allow and Retry-After."""
    if isinstance(error, UnsupportedMediaType):
        return _ACCEPTED
    return tuple((k, v) for k, v in error.get_headers() if k.lower() != "content-type")


def _cut(messages: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the first names of each level, and the beginning of names that a client made long."""
    kept = {
        name[:_LONGEST_NAME]: _cut(below) if isinstance(below, dict) else below
        for name, below in islice(messages.items(), _MOST_NAMES)
    }
    if len(messages) > _MOST_NAMES:
        kept["_schema"] = [f"{len(messages) - _MOST_NAMES} more are not listed."]
    return kept
