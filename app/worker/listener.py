"""Accepting connections, in a way that spreads them evenly over the workers."""

from __future__ import annotations

import asyncio
import errno
import logging
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.worker.connection import Connection
from app.worker.ledger import Ledger
from app.worker.places import Places
from app.worker.shared import Shared

if TYPE_CHECKING:
    import socket

    from _typeshed.wsgi import WSGIEnvironment

# The kernel wakes every worker for a connection, and whoever runs already would take them all. One
# that would have so many more than a sibling, in number and as a part of the sibling's, leaves the
# next to the siblings for a moment.
_MOST_AHEAD = 2
_MOST_AHEAD_PART = 0.125
_MOMENT_S = 0.005
# At most so many are accepted in one turn of the event loop, which then serves those that are here.
_MOST_A_TURN = 16
_MOST_WAIT_S = 1.0
# Out of file descriptors: what is there must end before anything else can begin.
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_EXHAUSTED_S = 0.1

logger = logging.getLogger(__name__)


class Listener:
    """The listening sockets of one worker, which all workers share."""

    def __init__(
        self, sockets: Sequence[Any], shared: Shared, ledger: Ledger, slot: int, places: Places
    ) -> None:
        self._sockets = sockets
        self._shared = shared
        self._ledger = ledger
        self._slot = slot
        self._places = places
        self._pause: asyncio.TimerHandle | None = None  # while no connection is accepted
        self._beyond = 0  # how many nobody else wanted after the last moment
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
            loop.call_later(_MOMENT_S, self._wait_for_siblings, n_workers, deadline)

    def stop(self, backlog: int) -> None:
        """Accept what has already reached the machine, then no more.

        No more than ``backlog`` connections can be waiting. Without that bound, clients that
        connect as fast as they are accepted would keep the door open.
        """
        sockets, self._sockets = self._sockets, ()  # so that no pause ends with listening again
        for listening in sockets:
            self._shared.loop.remove_reader(listening.fileno())
            for _ in range(backlog):
                if not self._accept(listening):
                    break
            listening.close()
        self._ledger.leave(self._slot)

    def report(self) -> None:
        """Tell the siblings how many connections there are; go on if these are few again."""
        if self._sockets:
            self._ledger.report(self._slot, len(self._shared.connections))
            if self._pause is not None and self._share() > 0:
                self._resume()

    def _share(self) -> float:
        """Return how many more there may be before it is the siblings' turn."""
        smallest = self._ledger.smallest_other(self._slot)
        ahead = max(_MOST_AHEAD, smallest * _MOST_AHEAD_PART)
        return smallest + ahead - len(self._shared.connections)

    def _on_ready(self, listening: socket.socket) -> None:
        """Accept what is waiting, up to this worker's share."""
        share = self._share()
        if not self._n_free():
            if not self._shared.end_lingering():  # if it does, there is a place in the next turn
                self._pause_for(_EXHAUSTED_S)
        elif share > 0:
            self._beyond = 0
            self._accept_up_to(share, listening)
        else:
            self._pause_for(_MOMENT_S)

    def _pause_for(self, seconds: float) -> None:
        """Accept nothing for a while, or until connections have ended."""
        for listening in self._sockets:
            self._shared.loop.remove_reader(listening.fileno())
        self._pause = self._shared.loop.call_later(seconds, self._take_what_is_left)

    def _resume(self) -> None:
        """Let the event loop call when there is somebody to accept."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        for listening in self._sockets:
            self._shared.loop.add_reader(listening.fileno(), self._on_ready, listening)

    def _take_what_is_left(self) -> None:
        """Accept what no sibling has; they seem to be busy, so each time twice as many."""
        self._resume()
        self._beyond = min(2 * self._beyond or 1, _MOST_A_TURN)
        if not any([self._accept_up_to(self._beyond, listening) for listening in self._sockets]):
            self._beyond = 0

    def _accept_up_to(self, most: float, listening: socket.socket) -> bool:
        """Accept what is waiting, but not too much in one turn; return whether it was so much."""
        turn = range(math.ceil(min(most, _MOST_A_TURN, self._n_free())))
        return all(self._accept(listening) for _ in turn)

    def _n_free(self) -> int:
        """Return how many may still come, if only to be told that there are too many."""
        return max(0, self._places.total - len(self._shared.connections))

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
                self._pause_for(_EXHAUSTED_S)
            return False
        accepted.setblocking(False)
        is_crowded = len(shared.connections) >= self._places.served and not shared.make_room()
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
