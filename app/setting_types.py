"""How the text of an environment variable becomes the value of a setting."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

Network = IPv4Network | IPv6Network
Number = TypeVar("Number", int, float)

# Signs that mean the same in a path, in HTML, in JSON and in a shell; no part is "." or "..".
_MOUNT_PATH = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]+)*")
_LONGEST_MOUNT_PATH = 256
_MAPPED_BITS = 96  # of an IPv6 address come before the IPv4 address that it may hold


def whole_number(lowest: int, highest: int) -> Callable[[object], int]:
    """Return a reader of whole numbers within a range."""

    def read(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"must be a whole number, not {value!r}")
        return _within(value, lowest, highest)

    return read


def seconds(lowest: float, highest: float) -> Callable[[object], float]:
    """Return a reader of times within a range; fractions are allowed."""

    def read(value: object) -> float:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"must be a number of seconds, not {value!r}")
        return _within(value, lowest, highest)

    return read


def one_of(*choices: str) -> Callable[[object], str]:
    """Return a reader of one word out of several, in any case."""

    def read(value: object) -> str:
        for choice in choices:
            if str(value).lower() == choice.lower():
                return choice
        raise ValueError(f"must be one of {', '.join(choices)}, not {value!r}")

    return read


def some_of(*choices: str) -> Callable[[object], tuple[str, ...]]:
    """Return a reader of several words out of some."""

    def read(value: object) -> tuple[str, ...]:
        items = _items(value)
        for item in items:
            if item not in choices:
                raise ValueError(f"must be of {', '.join(choices)}, not {item!r}")
        return items

    return read


def switch(value: object) -> bool:
    """Read what is on or off."""
    if isinstance(value, bool):
        return value
    if value not in ("on", "off"):
        raise ValueError(f"must be on or off, not {value!r}")
    return value == "on"


def path(value: object) -> Path:
    """Read the name of a file or folder."""
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("must name a file or folder")
    return Path(value)


def mount_path(value: object) -> str:
    """Read where a service is mounted: a path without a slash at its end, empty for the root."""
    text = str(value).rstrip("/")
    if not _MOUNT_PATH.fullmatch(text) or len(text) > _LONGEST_MOUNT_PATH:
        raise ValueError(f"must be a path such as /fraud, not {value!r}")
    return text


def networks(value: object) -> tuple[Network, ...]:
    """Read addresses, or networks of them."""
    return tuple(_network(item) for item in _items(value))


def _network(text: str) -> Network:
    """Read one address or network."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f"must hold addresses or networks such as 10.0.0.0/8, not {text!r}"
        ) from None
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped  # what such addresses are read as
        return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS)) if mapped else network
    return network


def _items(value: object) -> tuple[str, ...]:
    """Split what commas separate."""
    return tuple(item.strip() for item in str(value).split(",") if item.strip())


def _within(value: Number, lowest: float, highest: float) -> Number:
    """Refuse a number outside its range."""
    if not lowest <= value <= highest:
        raise ValueError(f"must lie between {lowest} and {highest}, not {value}")
    return value
