"""The gate of the service: who may come in, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from app.access.forwarded import site_of
from app.access.keys import KeyRing
from app.access.rate_limit import RateLimits
from app.config import Settings
from app.observability import metrics
from app.observability.metrics import Series
from app.record import RequestRecord

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Balancers and probes carry no keys, and must not be turned away because they ask often. The bare
# address says only where the documentation is.
_ALWAYS_OPEN = frozenset({"/", "/health", "/health/ready", "/health/live"})


class Gate:
    """Admits a request or raises what is in its way: 401 without a key, 429 over a limit.

    A client is counted by its key, or else by its address; requests that are about to be refused
    for their key count too.
    """

    def __init__(
        self,
        keys: KeyRing | None,
        open_routes: tuple[str, ...],
        limits: RateLimits | None,
    ) -> None:
        self._keys = keys
        self._open = frozenset(open_routes)
        self._open_below = tuple(f"{route}/" for route in open_routes)
        self._limits = limits
        self._is_open = False

    def open(self) -> None:
        """Begin to count with the other workers: with a worker, or at its first request."""
        if self._limits is not None:
            self._limits.open()
        self._is_open = True

    def admit(self, environ: WSGIEnvironment, record: RequestRecord) -> None:
        """Let a request pass, or raise; whose key it carries goes into the record."""
        path: str = environ["PATH_INFO"]
        if path in _ALWAYS_OPEN:
            return
        if not self._is_open:
            self.open()
        if self._keys is not None:
            secret = _secret(environ)
            record.client = None if secret is None else self._keys.name_of(secret)
        if self._limits is not None:
            if record.client is None:
                self._limits.count("address", site_of(environ.get("REMOTE_ADDR", "")))
            else:
                self._limits.count("key", record.client)
        if record.client is None and self.needs_key(path):
            raise Unauthorized(
                "This needs an API key, as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'.",
                www_authenticate=WWWAuthenticate("bearer", {"realm": "fraudscore"}),
            )

    def series(self) -> Series:
        """Say how keys and limits are, as the metrics publish it."""
        series: Series = {}
        if self._keys is not None:
            series[metrics.KEYS_STALE.name, ()] = [float(self._keys.problem is not None)]
        if self._limits is not None:
            series[metrics.LIMITS_UNSHARED.name, ()] = [self._limits.failures]
        return series

    def needs_key(self, path: str) -> bool:
        """Return whether nobody may see this without a key."""
        is_open = path in self._open or path.startswith(self._open_below)
        return self._keys is not None and not is_open and path not in _ALWAYS_OPEN


def gate_of(settings: Settings) -> Gate | None:
    """Return the gate that the settings ask for, None where everyone may come in at any time."""
    if settings.keys_file is None and settings.rate_limit is None:
        return None
    limits = None
    if settings.rate_limit is not None:
        limits = RateLimits(settings.rate_limit, settings.redis_url)
    keys = None if settings.keys_file is None else KeyRing(settings.keys_file)
    return Gate(keys, settings.open_routes, limits)


def _secret(environ: WSGIEnvironment) -> str | None:
    """Return the key that a request carries; one in Authorization goes first."""
    scheme, _, secret = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return str(secret).strip(" ")
    return environ.get("HTTP_X_API_KEY")
