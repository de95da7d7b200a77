"""Accepting connections, in a way that spreads them evenly over the workers."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.worker.connection import Connection
from app.worker.ledger import Ledger
from app.worker.shared import Shared

if TYPE_CHECKING:
    import socket

    from _typeshed.wsgi import WSGIEnvironment

# The kernel wakes every worker for a connection, and whoever runs already would take them all. One
# that has this many times what a sibling has steps back for a moment, and accepts after that
# whatever the others do: a busy or dead sibling cannot hold anybody up.
_UNEVEN = 1.125
_STEP_BACK_S = 0.005
_MOST_WAIT_S = 1.0
# Out of file descriptors: what is there must end before anything else can begin.
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_EXHAUSTED_S = 0.1
# Connections that are being refused may be this many; the next must wait for their end.
MOST_REFUSED = 128

logger = logging.getLogger(__name__)


class Listener:
    """The listening sockets of one worker, which all workers share."""

    def __init__(
        self, sockets: Sequence[Any], shared: Shared, ledger: Ledger, slot: int, limit: int
    ) -> None:
        self._sockets = sockets
        self._shared = shared
        self._ledger = ledger
        self._slot = slot
        self._limit = limit
        self._has_waited = False
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, n_workers: int) -> None:
        """Accept as soon as the siblings can, too, or after a moment without them.

        Whoever is ready first would get the connections that a balancer opens at once and keeps.
        """
        for listening in self._sockets:
            listening.setblocking(False)
        self.report()
        self._wait_for_siblings(n_workers, self._shared.loop.time() + _MOST_WAIT_S)

    def _wait_for_siblings(self, n_workers: int, deadline: float) -> None:
        """Look now and then whether all are there."""
        loop = self._shared.loop
        if self._ledger.n_ready() >= n_workers or loop.time() > deadline:
            self._resume()
        else:
            loop.call_later(_STEP_BACK_S, self._wait_for_siblings, n_workers, deadline)

    def stop(self, backlog: int) -> None:
        """Accept what has already reached the machine, then no more.

        No more than ``backlog`` connections can be waiting. Without that bound, clients that
        connect as fast as they are accepted would keep the door open.
        """
        for listening in self._sockets:
            self._shared.loop.remove_reader(listening.fileno())
            for _ in range(backlog):
                if not self._accept(listening):
                    break
            listening.close()
        self._sockets = ()
        self._ledger.leave(self._slot)

    def report(self) -> None:
        """Tell the siblings how many connections there are."""
        if self._sockets:
            self._ledger.report(self._slot, len(self._shared.connections))

    def _resume(self) -> None:
        """Let the event loop call when there is somebody to accept."""
        for listening in self._sockets:
            self._shared.loop.add_reader(listening.fileno(), self._on_ready, listening)

    def _step_back(self, seconds: float) -> None:
        """Leave the connections to the siblings for a moment."""
        for listening in self._sockets:
            self._shared.loop.remove_reader(listening.fileno())
        self._shared.loop.call_later(seconds, self._resume)

    def _on_ready(self, listening: socket.socket) -> None:
        """Accept one connection, unless a sibling has fewer."""
        count = len(self._shared.connections)
        if count >= self._limit + MOST_REFUSED:
            self._step_back(_EXHAUSTED_S)
            return
        smallest = self._ledger.smallest_other(self._slot)
        if count > smallest * _UNEVEN and not self._has_waited:
            self._has_waited = True
            self._step_back(_STEP_BACK_S)
            return
        self._has_waited = False
        self._accept(listening)

    def _accept(self, listening: socket.socket) -> bool:
        """Accept one connection; return whether there was one."""
        shared = self._shared
        try:
            accepted, address = listening.accept()
        except (BlockingIOError, InterruptedError):
            return False
        except ConnectionError:  # it was given up while it waited
            return True
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            logger.error("cannot accept: %s", error)
            if not shared.is_stopping:
                self._step_back(_EXHAUSTED_S)
            return False
        accepted.setblocking(False)
        is_crowded = len(shared.connections) >= self._limit and not shared.make_room()
        environ = shared.environ | _addresses(address, accepted.getsockname())
        connection = Connection(shared, environ, is_crowded=is_crowded)
        self.report()
        opening = shared.loop.connect_accepted_socket(lambda: connection, accepted)
        task = shared.loop.create_task(opening)
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._opened(task, connection))
        return True

    def _opened(self, task: asyncio.Task[Any], connection: Connection) -> None:
        """Forget a connection that ended before it began."""
        self._tasks.discard(task)
        if task.cancelled() or task.exception() is not None:
            self._shared.connections.discard(connection)


def _addresses(client: Any, server: Any) -> WSGIEnvironment:
    """Return what WSGI says about the two ends; a local socket has a path or nothing."""
    if not isinstance(client, tuple):
        return {"REMOTE_ADDR": "", "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    return {
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
    }
