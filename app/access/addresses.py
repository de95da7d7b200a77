"""The address of a client: the peer of the connection, or who the proxies in front say it was."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Network = IPv4Network | IPv6Network

PEER = "fraudscore.peer"
_REMEMBERED = 4096
_SITE_BITS = 64  # what one customer is given: counting single IPv6 addresses would count nothing


class ClientAddresses:
    """Finds the client of a request; only a trusted peer may say that it was somebody else."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)
        self._resolve = lru_cache(_REMEMBERED)(self._resolve_anew)

    def of(self, environ: WSGIEnvironment) -> str:
        """Return the address of a request's client, an IPv6 client's as its network."""
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "") if self._trusted else ""
        return self._resolve(environ.get("REMOTE_ADDR", ""), forwarded)

    def is_from_proxy(self, environ: WSGIEnvironment) -> bool:
        """Return whether a request came straight from a proxy that is trusted.

        Our own worker puts the client's address where the peer's was, and keeps the peer's.
        """
        peer = environ.get(PEER, environ.get("REMOTE_ADDR", ""))
        if not peer:  # a local socket has no address; whoever may open it is one of ours
            return bool(self._trusted)
        address = _parse(peer)
        return address is not None and self._trusts(address)

    def _resolve_anew(self, peer: str, forwarded: str) -> str:
        """Walk from the peer towards the client, for as long as the hops are trusted.

        Each proxy appends whom it was called by, so that the right end is what ours wrote and the
        left end is whatever the client invented.
        """
        address = _parse(peer)
        for hop in reversed(forwarded.split(",")):
            if address is None or not self._trusts(address):
                break
            before = _parse(hop.strip())
            if before is None:
                break
            address = before
        return peer if address is None else _counted(address)

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        """Return whether an address is one of our proxies."""
        return any(address in network for network in self._trusted)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address; an IPv4 address in the clothes of IPv6 is what it is."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _counted(address: IPv4Address | IPv6Address) -> str:
    """Return what requests are counted under."""
    if isinstance(address, IPv6Address):
        network = ip_network((int(address) >> 128 - _SITE_BITS << 128 - _SITE_BITS, _SITE_BITS))
        return str(network)
    return str(address)
