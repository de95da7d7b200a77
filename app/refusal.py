"""What the worker refuses by itself, before or instead of the application.

A refusal is a WSGI application inside the same layer as every other answer, so it gets a request
id, the common headers and a log line there and nowhere else.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from app.errors import Problem
from app.telemetry import RequestLayer, current_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PROBLEM = "fraudscore.problem"


class RefusedError(Exception):
    """A request that the worker will not hand to the application."""

    def __init__(self, status: int, detail: str, *headers: tuple[str, str]) -> None:
        self.problem = Problem(status, detail, headers=headers)
        super().__init__(detail)


def overloaded(detail: str) -> RefusedError:
    """Say that there is too much to do just now, and when to come back."""
    return RefusedError(503, detail, ("Retry-After", "1"))


def _refuse(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the problem that the worker found."""
    problem: Problem = environ[PROBLEM]
    answer = problem.answer(current_request(environ).request_id)
    status = HTTPStatus(answer.status)
    start_response(f"{status.value} {status.phrase}", list(answer.headers))
    return [answer.body]


refuse = RequestLayer(_refuse)
