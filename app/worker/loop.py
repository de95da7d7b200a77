"""An event loop that calls the application with whole requests.

Gunicorn keeps processes, signals and reloads.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
from typing import Any, ClassVar

import uvloop
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from app.config import Settings
from app.worker.head import HeadReader
from app.worker.ledger import Ledger
from app.worker.listener import MOST_REFUSED, Listener
from app.worker.shared import Shared

_TICK_S = 0.5
_STOPPING_TICK_S = 0.05
# Besides its connections a worker holds listening sockets, pipes, files of the log and the model.
_OTHER_FILES = 128


class LoopWorker(Worker):  # type: ignore[misc]
    """One process, one event loop, one thread more for large requests."""

    ledger: ClassVar[Ledger | None] = None
    alive: bool

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:  # noqa: ARG003 (Gunicorn's signature)
        """Refuse what this worker does not do, in the master, before anything is served."""
        if cfg.is_ssl:
            sys.exit(
                "fraudscore cannot start: this worker speaks no TLS; put a proxy in front of it"
            )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if LoopWorker.ledger is None:  # in the master, so that every worker inherits the same
            LoopWorker.ledger = Ledger()
        self._ledger = LoopWorker.ledger
        self._slot = self._ledger.take()
        self._exit: BaseException | None = None
        self._stop_at = float("inf")

    def init_process(self) -> None:
        """Allow as many open files as there may be connections, then go on as every worker does."""
        wanted = self.cfg.worker_connections + MOST_REFUSED + _OTHER_FILES
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, then until the last connection has ended."""
        loop = self._loop = uvloop.new_event_loop()
        shared = self._shared = self._share(Settings.load(os.environ, {}))
        self._listener = Listener(
            self.sockets, shared, self._ledger, self._slot, self.cfg.worker_connections
        )
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        gc.freeze()  # what was loaded stays for good and need not be looked at again
        self._listener.start(self.cfg.workers)
        self._tick()
        try:
            loop.run_forever()
        finally:
            shared.large.shutdown(wait=False, cancel_futures=True)
        if self._exit is not None:
            raise self._exit

    def _share(self, settings: Settings) -> Shared:
        """Gather what connections need."""
        cfg = self.cfg
        return Shared(
            loop=self._loop,
            application=self.wsgi,
            settings=settings,
            keepalive=cfg.keepalive,
            heads=HeadReader(
                cfg.limit_request_line, cfg.limit_request_fields, cfg.limit_request_field_size
            ),
            environ={
                "wsgi.version": (1, 0),
                "wsgi.url_scheme": "http",
                "wsgi.errors": sys.stderr,
                "wsgi.multithread": True,
                "wsgi.multiprocess": cfg.workers > 1,
                "wsgi.run_once": False,
                "wsgi.input_terminated": True,
                "SCRIPT_NAME": "",
                "SERVER_SOFTWARE": "gunicorn",
            },
            count_request=self._count_request,
            report=self._report,
            end=self._end,
        )

    def _report(self) -> None:
        """Tell the siblings how many connections there are."""
        self._listener.report()

    def _count_request(self) -> None:
        """Make way for a fresh process after as many requests as Gunicorn was told."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False

    def _stop(self) -> None:
        """Accept what is waiting, finish what has begun, and let idle connections end."""
        self.alive = False
        if not self._shared.is_stopping:
            self._stop_at = self._loop.time() + self.cfg.graceful_timeout - _TICK_S
            self._shared.is_stopping = True
            self._listener.stop(self.cfg.backlog)
            self._shared.stop()

    def _end(self, exit_: BaseException) -> None:
        """Leave the loop with an exit that a signal asked for."""
        self._exit = exit_
        self._loop.stop()

    def _tick(self) -> None:
        """Do what is due now and then: sign of life, deadlines, the way out."""
        if not self._shared.is_overdue(self.cfg.timeout):
            self.notify()
        if self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.alive = False
        if not self.alive:
            self._stop()
        self._report()
        now = self._loop.time()
        for connection in list(self._shared.connections):
            if connection.deadline < now:
                connection.expire()
        if not self.alive and (not self._shared.connections or now > self._stop_at):
            self._loop.stop()
        else:
            self._loop.call_later(_TICK_S if self.alive else _STOPPING_TICK_S, self._tick)
