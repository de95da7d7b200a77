"""Ports for servers of tests that no connection of another test can have taken meanwhile."""

import os
import socket
from itertools import cycle

# Below those that the kernel gives to connections (from 32768 on Linux), and others in each of the
# processes that run tests side by side.
LOWEST, PER_PROCESS, PROCESSES = 20_000, 1_000, 12
_NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PROCESSES
_FIRST = LOWEST + _NUMBER * PER_PROCESS
_PORTS = cycle(range(_FIRST, _FIRST + PER_PROCESS))


def free_port():
    """Return a port of this machine that nobody listens on."""
    return next(port for port in _PORTS if _is_free(port))


def _is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
