"""Who is asking: the peer of the connection, or whom the proxies in front say that it was.

Everything that proxies say is read here, once a request and whatever the worker. Only a trusted
peer is believed; afterwards ``REMOTE_ADDR`` is the client, ``wsgi.url_scheme`` what it used, and
``PREFIX`` what the proxy took from the path. X-Forwarded-Host and -Port are read by nobody.

Who could lie: a proxy appends whom it was called by to what it was sent, so the right end of a list
is what ours wrote and the left end is whatever the client invented. The lists are therefore walked
from the right, for as long as the hops are trusted. A hop that is not understood ends the walk, and
the request counts for the proxy that said so: what stands further left cannot be relied on. The
same happens where X-Forwarded-For and Forwarded are both there and name different hops, because
most proxies write one of them and pass the other on as the client sent it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PREFIX = "fraudscore.prefix"
_FOR, _FORWARDED = "HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"
_PROTO, _PREFIX = "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_PREFIX"
_REMEMBERED = 4096
_LONGEST_REMEMBERED = 512
# What clients may write costs time to read: no chain of proxies comes near these.
_MOST_HOPS = 32
_LONGEST_FORWARDED = 1024
_SITE_BITS = 64  # what one customer is given: counting single IPv6 addresses would count nothing

_SPACE = " \t"  # all that is white space in a header; text in Python has far more
_PLAIN = re.compile(r"(\[)?([0-9A-Fa-f.:]+)(?:%[0-9A-Za-z._~-]+)?(?(1)\])")
_WITH_PORT = re.compile(r"(.+):(?:[0-9]{1,5}|_[0-9A-Za-z._-]+)")
# RFC 7239, with what is written beside it: blanks around the semicolon, ports without quotes.
_PAIR = r"""([!#$%&'*+.^_`|~0-9A-Za-z-]++)=([!#$%&'*+.^_`|~0-9A-Za-z:\[\]-]++|"(?:[^"\\]|\\.)*+")"""
_NEXT_PAIR = re.compile(rf"[ \t]*+(?:{_PAIR})?+[ \t]*+([;,]|\Z)")


class Hop(NamedTuple):
    """One step towards the client, in the words of the proxy that was called by it."""

    node: str = ""
    scheme: str | None = None


class Origin(NamedTuple):
    """Where a request came from; ``doubt`` says why the proxies' word was not taken to its end."""

    address: str
    scheme: str | None  # None: that of the connection
    doubt: str | None


class Forwarding:
    """Believes the proxies whose addresses lie in ``trusted``, and nobody else.

    A local socket has no address; whoever may open it is one of ours, where there are proxies.
    """

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)
        self._remembered = lru_cache(_REMEMBERED)(self._find)
        self._has_doubted = False

    def apply(self, environ: WSGIEnvironment) -> None:
        """Put the client in the place of the peer, as far as somebody trusted says who it is."""
        hops = environ.pop(_FOR, "")
        forwarded = environ.pop(_FORWARDED, "")
        proto = environ.pop(_PROTO, "")
        prefix = environ.pop(_PREFIX, "")
        peer = environ.get("REMOTE_ADDR", "")
        if not self._trusted:
            return
        is_usual = len(hops) + len(forwarded) + len(proto) <= _LONGEST_REMEMBERED
        find = self._remembered if is_usual else self._find
        origin = find(peer, hops, forwarded, proto)
        if origin is None:
            return
        environ[PREFIX] = _last(prefix)
        if origin.address != peer:
            environ["REMOTE_ADDR"] = origin.address
            environ.pop("REMOTE_PORT", None)
        if origin.scheme is not None:
            environ["wsgi.url_scheme"] = origin.scheme
        if origin.doubt and not self._has_doubted:
            self._has_doubted = True  # told once: clients could fill the log
            logger.warning(
                "a trusted proxy %s; such requests count for the proxy, all together", origin.doubt
            )

    def _find(self, peer: str, hops: str, forwarded: str, proto: str) -> Origin | None:
        """Return what a trusted peer says, None where the peer is not trusted."""
        address = read_address(peer)
        if peer and not self._trusts(address):
            return None
        address, scheme, doubt = self._walk(address, hops, forwarded)
        schemes = {text.lower() for text in (_last(proto), scheme) if text}
        is_clear = schemes in ({"http"}, {"https"})
        return Origin(_text(address, peer), schemes.pop() if is_clear else None, doubt)

    def _walk(
        self, address: Address | None, hops: str, forwarded: str
    ) -> tuple[Address | None, str | None, str | None]:
        """Go from the peer towards the client, for as long as the hops are trusted."""
        given = {"X-Forwarded-For": _hops(hops), "Forwarded": _forwarded_hops(forwarded)}
        chains = {name: chain for name, chain in given.items() if chain}
        scheme = None
        for place in range(max(map(len, chains.values()), default=0)):
            if place and not self._trusts(address):
                break
            steps = [chain[place] if place < len(chain) else Hop() for chain in chains.values()]
            found = {read_address(step.node) for step in steps}
            if len(found) > 1:
                doubt = "sent X-Forwarded-For and Forwarded that name different clients"
                return address, scheme, doubt
            if None in found:
                doubt = f"sent {' and '.join(chains)} without an address that is understood"
                return address, scheme, doubt
            (address,) = found
            scheme = next((step.scheme for step in steps if step.scheme), None)
        return address, scheme, None

    def _trusts(self, address: Address | None) -> bool:
        """Return whether an address is that of one of our proxies."""
        return address is not None and any(address in network for network in self._trusted)


def read_address(text: str) -> Address | None:
    """Read an address as servers and proxies write it; None where it is none.

    There may be brackets, a port or a zone. An IPv4 address in the clothes of IPv6 is what it is. A
    shortened IPv6 address without brackets but with a port reads as a longer one of its network.
    """
    address = _read_plain(text)
    if address is None and (match := _WITH_PORT.fullmatch(text)):
        address = _read_plain(match[1])
    return address


@lru_cache(_REMEMBERED)
def site_of(text: str) -> str:
    """Return what the requests of an address are counted under: of IPv6 its network."""
    address = read_address(text)
    if isinstance(address, IPv6Address):
        site = int(address) >> 128 - _SITE_BITS << 128 - _SITE_BITS
        return f"{IPv6Address(site)}/{_SITE_BITS}"
    return _text(address, text)


def _read_plain(text: str) -> Address | None:
    """Read an address without a port."""
    match = _PLAIN.fullmatch(text)
    try:
        address = ip_address(match[2]) if match else None
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _text(address: Address | None, otherwise: str) -> str:
    """Write an address."""
    return otherwise if address is None else str(address)


def _last(header: str) -> str:
    """Return what the nearest proxy wrote into a list."""
    return header.rpartition(",")[2].strip(_SPACE)


def _hops(header: str) -> list[Hop]:
    """Read X-Forwarded-For, the nearest hop first; an empty item may stand for somebody."""
    if not header.strip(_SPACE):
        return []
    nearest = header.rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
    return [Hop(item.strip(_SPACE)) for item in reversed(nearest)]


def _forwarded_hops(header: str) -> list[Hop]:
    """Read Forwarded, the nearest hop first.

    One quotation mark of a client changes what everything after it means, so that a header which
    is not well formed as a whole says nothing.
    """
    if not header.strip(_SPACE):
        return []
    if len(header) > _LONGEST_FORWARDED:
        return [Hop()]
    hops: list[Hop] = []
    pairs: dict[str, str] = {}
    position, end = 0, None
    while end != "":
        match = _NEXT_PAIR.match(header, position)
        if match is None:
            return [Hop()]
        position, end = match.end(), match[3]
        if match[1]:
            name = match[1].lower()
            if name in pairs:
                return [Hop()]
            pairs[name] = _unquoted(match[2])
        if end != ";":
            hops.append(Hop(pairs.get("for", ""), pairs.get("proto")))
            pairs = {}
    return hops[::-1]


def _unquoted(value: str) -> str:
    """Return what a quoted string stands for."""
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
