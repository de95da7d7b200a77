"""The layer around the application that every request passes, whatever becomes of it.

It names the request, turns away what may not come in, adds the headers that every answer carries,
and lets the observer see it begin and end. The scoring routes are answered right here, in the lane:
the same function that the Flask views call, without the cost of Flask's dispatch.
``FRAUDSCORE_LANE=off`` sends them through Flask like all others; the answers are the same to the
last byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import NotFound
from werkzeug.http import HTTP_STATUS_CODES

from app.access.forwarded import Forwarding
from app.access.gate import Gate
from app.access.mount import Mount
from app.answer import Answer
from app.errors import answer_to
from app.intake import check_host
from app.observability.observer import Observer
from app.record import RequestRecord, begin_record
from app.refusal import REFUSAL, RefusedError

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Lane = Mapping[str, Callable[["WSGIEnvironment"], Answer]]

_STATUS_LINES = {code: f"{code} {name.upper()}" for code, name in HTTP_STATUS_CODES.items()}
_SECURITY = [
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
]


class RequestLayer:
    """A WSGI application around another one.

    ``lane`` maps the paths that need no dispatch to what answers a POST there; ``forwarding`` finds
    out who is asking, ``mount`` where those paths begin; ``gate`` decides who may come in, where
    that is not everyone.
    """

    def __init__(
        self,
        application: WSGIApplication,
        lane: Lane,
        forwarding: Forwarding,
        mount: Mount,
        gate: Gate | None,
        observer: Observer,
    ) -> None:
        self._application = application
        self._lane = lane
        self._forwarding = forwarding
        self._mount = mount
        self._gate = gate
        self._observer = observer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        record = begin_record(environ)
        self._forwarding.apply(environ)
        self._observer.begin(environ, record)
        try:
            answer = self._answer(environ, record)
            if answer is None:
                return self._application(environ, _completed(start_response, record))
            record.status = answer.status
            headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
            start_response(_STATUS_LINES[answer.status], headers + _common_headers(record))
            return [] if record.method == "HEAD" else [answer.body]
        finally:
            self._observer.end(record)

    def _answer(self, environ: WSGIEnvironment, record: RequestRecord) -> Answer | None:
        """Answer what needs no dispatch; None leaves the request to the application."""
        try:
            refusal: RefusedError | None = environ.get(REFUSAL)
            if refusal is not None:
                raise refusal
            check_host(environ)
            # Declined by answering as if it were not offered; routing would refuse the request.
            environ.pop("HTTP_UPGRADE", None)
            is_below_mount = self._mount.apply(environ)
            if self._gate is not None:
                self._gate.admit(environ, record)
            if not is_below_mount:
                raise NotFound
            respond = self._lane.get(environ["PATH_INFO"]) if record.method == "POST" else None
            if respond is None:
                return None
            record.route = environ["PATH_INFO"]
            answer = respond(environ)
            record.note(answer)
        except Exception as error:
            return answer_to(error, record)
        return answer


def _completed(start_response: StartResponse, record: RequestRecord) -> StartResponse:
    """Return a ``start_response`` that keeps the status and adds the common headers.

    A view that says one of them by itself knows better, as the page with the documentation does.
    """

    def start(
        status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
    ) -> Any:
        record.status = int(status[:3])
        own = {name.lower() for name, _ in headers}
        common = [item for item in _common_headers(record) if item[0].lower() not in own]
        return start_response(status, headers + common, exc_info)

    return start


def _common_headers(record: RequestRecord) -> list[tuple[str, str]]:
    """Return the headers that every answer carries."""
    return [*_SECURITY, ("X-Request-ID", record.request_id)]
