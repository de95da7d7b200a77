"""What proxies say about the client: believed from trusted addresses, dropped from all others."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from app.access.addresses import PEER
from app.refusal import RefusedError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_FORWARDED = "HTTP_X_FORWARDED_"


class Proxies:
    """The addresses whose X-Forwarded headers count, as Gunicorn's settings name them."""

    def __init__(self, trusted: Sequence[str], secure_headers: Mapping[str, str]) -> None:
        self._trusts_all = "*" in trusted
        self._networks = [ipaddress.ip_network(name) for name in trusted if name != "*"]
        self._secure_headers = {
            f"HTTP_{name.replace('-', '_')}": value for name, value in secure_headers.items()
        }
        self.is_trusted = lru_cache(maxsize=1024)(self._is_trusted)

    def apply(self, environ: WSGIEnvironment) -> None:
        """Put the client's own address and scheme into the environ, or drop the claims."""
        if not self.is_trusted(environ["REMOTE_ADDR"]):
            for key in [key for key in environ if key.startswith(_FORWARDED)]:
                del environ[key]
            return
        environ[PEER] = environ["REMOTE_ADDR"]
        schemes = {
            environ[key] == secure for key, secure in self._secure_headers.items() if key in environ
        }
        if len(schemes) == 2:
            raise RefusedError(400, "The X-Forwarded headers contradict each other.")
        if schemes:
            environ["wsgi.url_scheme"] = "https" if True in schemes else "http"
        self._find_client(environ)

    def _find_client(self, environ: WSGIEnvironment) -> None:
        """Walk back from the nearest hop to the first that is not one of the proxies."""
        for hop in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = hop.strip()
            if not _is_address(address):  # whatever stands before this cannot be relied on
                return
            environ["REMOTE_ADDR"] = address
            environ.pop("REMOTE_PORT", None)
            if not self.is_trusted(address):
                return

    def _is_trusted(self, address: str) -> bool:
        """Say whether an address belongs to a proxy; a local socket has none and is trusted."""
        if self._trusts_all or not address:
            return True
        return any(ipaddress.ip_address(address) in network for network in self._networks)


@lru_cache(maxsize=1024)
def _is_address(text: str) -> bool:
    """Say whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
