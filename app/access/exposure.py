"""Says loudly when a service without keys can be reached from other machines."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping

from app.access.forwarded import read_address

logger = logging.getLogger(__name__)

SocketName = str | bytes | tuple[str | int, ...]


def warn_if_exposed(names: Iterable[SocketName], environ: Mapping[str, str] = os.environ) -> None:
    """Warn about the sockets that others reach while no key is asked for.

    ``names`` are what the sockets themselves say, because flags and files can override each other.
    """
    public = [f"{name[0]}:{name[1]}" for name in names if not _is_local(name)]
    if public and not environ.get("FRAUDSCORE_KEYS_FILE"):
        logger.warning(
            "no API keys: whoever reaches %s can use this service; "
            "set FRAUDSCORE_KEYS_FILE, or HOST=127.0.0.1",
            ", ".join(public),
        )


def _is_local(name: SocketName) -> bool:
    """Return whether only this machine reaches a socket: loopback, or a path of the file system."""
    if not isinstance(name, tuple):
        return True
    address = read_address(str(name[0]))
    return address is not None and address.is_loopback
