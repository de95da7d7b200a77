"""An event loop that calls the application with whole requests.

Gunicorn keeps processes, signals and reloads.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType
from typing import Any, ClassVar

import uvloop
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from app.config import Settings
from app.worker.beside import Beside
from app.worker.head import HeadReader
from app.worker.ledger import Ledger
from app.worker.listener import Listener
from app.worker.places import allow_files, files_for, find_places
from app.worker.shared import Shared

_TICK_S = 0.5
_STOPPING_TICK_S = 0.05
# The loop waits for the interpreter this long, not Python's 5 ms, whenever the other thread has it.
_SWITCH_S = 0.001
# Workers obey these. The others are for the master, and nothing to a worker: sent to all processes
# of the service at once, most of them would end it by default.
_OBEYED = (signal.SIGABRT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1)
_FOR_THE_MASTER = (
    signal.SIGALRM,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGUSR2,
    signal.SIGWINCH,
)


class LoopWorker(Worker):  # type: ignore[misc]
    """One process, one event loop, two threads more for what would hold the loop for long."""

    SIGNALS = (*_OBEYED, signal.SIGCHLD)  # what Gunicorn first sets back to the default
    ledger: ClassVar[Ledger | None] = None
    alive: bool

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker cannot do, in the master, before anything is served."""
        if cfg.is_ssl:
            sys.exit(
                "fraudscore cannot start: this worker speaks no TLS; put a proxy in front of it"
            )
        wanted = cfg.worker_connections
        try:
            allow_files(wanted, cfg.workers)
        except OSError as error:
            sys.exit(f"fraudscore cannot start: {error}")
        places = find_places(wanted)
        if places.served < wanted:
            log.warning(
                "Each worker serves %d connections at once instead of %d: the limit of open files"
                " cannot be raised to %d (ulimit -n, LimitNOFILE)",
                places.served,
                wanted,
                files_for(wanted),
            )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if LoopWorker.ledger is None:  # in the master, so that every worker inherits the same
            LoopWorker.ledger = Ledger()
        self._ledger = LoopWorker.ledger
        self._slot = self._ledger.take()
        self._exit: BaseException | None = None
        self._stop_at = float("inf")

    def init_signals(self) -> None:
        """Obey what a worker is to obey, and leave to the master what is the master's."""
        super().init_signals()
        for number in _FOR_THE_MASTER:
            signal.signal(number, signal.SIG_IGN)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """End at once, also where the exit is raised in a callback that keeps it to itself."""
        try:
            super().handle_quit(sig, frame)
        except SystemExit as exit_:
            if self.booted:
                self._end(exit_)
            raise

    def run(self) -> None:
        """Serve until told to stop, then until the last connection has ended."""
        loop = self._loop = uvloop.new_event_loop()
        shared = self._shared = self._share(Settings.load(os.environ, {}))
        places = find_places(self.cfg.worker_connections)
        self._listener = Listener(self.sockets, shared, self._ledger, self._slot, places)
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        sys.setswitchinterval(_SWITCH_S)
        gc.freeze()  # what was loaded stays for good and need not be looked at again
        self._listener.start(self.cfg.workers)
        self._tick()
        try:
            loop.run_forever()
        finally:
            shared.large.end()
            shared.pages.end()
        if self._exit is not None:
            raise self._exit

    def _share(self, settings: Settings) -> Shared:
        """Gather what connections need."""
        cfg = self.cfg
        return Shared(
            loop=self._loop,
            application=self.wsgi,
            takes_long=self.wsgi.extensions["fraudscore.takes_long"],
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
            large=Beside(self._loop),
            pages=Beside(self._loop),
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
