"""Gunicorn's master, here one that goes on where something cannot be had just now.

As Gunicorn has it, any error in the master's loop ends the service, and so does a worker that
cannot begin. Here healthy workers go on, and what failed is tried again after pauses that grow:

- no process, descriptor, memory or file for a new worker; a worker that ends before it serves;
- a reload: the workers of before are told to stop only once all new ones serve. A configuration
  that cannot be read leaves everything as it is;
- an upgrade for which there is no process, or whose program cannot be run.

Only a start at which no worker has ever served still ends: whoever started the service is told.

The configuration's hook ``on_starting`` calls ``take_over``, so this holds however Gunicorn was
started. It builds on how ``Arbiter`` divides its work into methods; ``tests/app/test_master.py``
fails where a release divides it differently.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]

from app.observability.starts import Starts
from model.printable import one_line

SHORTEST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
LONGEST_START_S = 30.0  # to the first sign of life, or longer where the time-out of workers is
_AWAIT_S = 0.1
_REPEAT_S = 5.0
_FAILED_UPGRADE = 1
# What a reload replaces, and keeps where it fails.
_CONFIGURED = ("cfg", "worker_class", "address", "timeout", "proc_name", "_num_workers")


def _tolerant(name: str) -> Callable[[Master], None]:
    """Return a step of Gunicorn's master that may fail without ending its loop."""
    step = getattr(Arbiter, name)

    @wraps(step)
    def tolerate(self: Master) -> None:
        try:
            step(self)
        except Exception as error:
            self.note_trouble(name, error)

    return tolerate


class Master(Arbiter):  # type: ignore[misc]
    """The one process that starts and ends workers."""

    WORKERS: dict[int, Any]
    LISTENERS: list[Any]
    starts: Starts
    _fallback: Path  # for the files of workers, where the configured folder takes none
    _pause_s: float  # before the next start, if this one fails
    _try_again_at: float
    _is_short: bool  # a start has failed, and not all workers have served since
    _has_served: bool
    _is_stopping: bool
    _outdated_age: int  # workers up to this age are to be replaced
    _is_reloading: bool
    _trouble: tuple[str, str] | None  # told last

    @classmethod
    def take_over(cls, server: Arbiter, fallback: Path) -> None:
        """Make a master that is about to start one of this kind."""
        server.__class__ = cls
        server.starts = Starts()
        server._fallback = fallback
        server._pause_s = SHORTEST_PAUSE_S
        server._try_again_at = 0.0
        server._is_short = server._has_served = False
        server._is_stopping = server._is_reloading = False
        server._outdated_age = 0
        server._trouble = None

    handle_chld = _tolerant("handle_chld")
    handle_cld = handle_chld
    handle_hup = _tolerant("handle_hup")
    handle_usr1 = _tolerant("handle_usr1")
    handle_ttin = _tolerant("handle_ttin")
    handle_ttou = _tolerant("handle_ttou")
    maybe_promote_master = _tolerant("maybe_promote_master")
    murder_workers = _tolerant("murder_workers")

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Wait for what the loop has to do next; less long while new workers are awaited."""
        awaits = self._is_short or len(self._current()) < len(self.WORKERS)
        signals: list[int] = super().wait_for_signals(_AWAIT_S if awaits else timeout)
        return signals

    def note_trouble(self, step: str, error: BaseException) -> None:
        """Log what failed; the same failure again is not told twice in a row."""
        trouble = (step, str(error))
        if trouble != self._trouble:
            facts = {"step": step, "reason": _reason(error)}
            self.log.error("the master goes on after an error", extra={"facts": facts})
        self._trouble = trouble

    def spawn_worker(self) -> int | None:
        """Start one worker, or note that it cannot be had and when to try again."""
        if self._is_reloading or time.monotonic() < self._try_again_at:
            return None
        umask = os.umask(0o077)
        os.umask(umask)
        try:
            self._find_folder()
            pid: int = super().spawn_worker()
            self._time_start(self.WORKERS[pid])
        except Exception as error:
            if os.getpid() != self.pid:  # a new process must never go on as a second master
                os._exit(self.WORKER_BOOT_ERROR)
            os.umask(umask)  # which Gunicorn leaves changed where it could not create a file
            self._note_failure(_reason(error))
            return None
        return pid

    def spawn_workers(self) -> None:
        """Start as many workers as are missing, those of before a reload not counted."""
        for _ in range(self.num_workers - len(self._current())):
            self.spawn_worker()

    def manage_workers(self) -> None:
        """Start what is missing, end what is too many; old workers only once the new ones serve."""
        if self._is_reloading:
            return
        self.spawn_workers()
        n_serving = sum(map(_serves, self._current()))
        self._has_served |= n_serving > 0
        try:
            if len(self._current()) == len(self.WORKERS) or n_serving >= self.num_workers:
                super().manage_workers()
        except Exception as error:
            self.note_trouble("manage_workers", error)
        self._tell(n_serving)

    def reap_workers(self) -> None:
        """Take note of workers that have ended; those that never served count as failed starts."""
        self._has_served |= any(map(_serves, self.WORKERS.values()))
        unproven = {pid for pid, worker in self.WORKERS.items() if not _serves(worker)}
        while True:
            try:
                super().reap_workers()
                break
            except HaltServer:  # one that could not begin; others may have ended, too
                if not self._has_served and not self._is_stopping:
                    raise
        if unproven - self.WORKERS.keys() and not self._is_stopping:
            self._note_failure("it ended before it served")

    def kill_worker(self, pid: int, sig: int) -> None:
        """Send a signal to a worker; one to stop is not repeated at once.

        It ends a worker that is almost gone, and then what that has counted since it last told.
        """
        worker, now = self.WORKERS.get(pid), time.monotonic()
        if sig == signal.SIGTERM and worker is not None:
            if now - worker.told_at < _REPEAT_S:
                return
            worker.told_at = now
        super().kill_worker(pid, sig)

    def reload(self) -> None:
        """Read the configuration again; the loop then replaces the workers.

        Gunicorn would start the new workers and end the old ones here, whatever became of the new,
        and close the sockets for another address before it has that, so it sees none of them
        meanwhile.
        """
        kept = {name: getattr(self, name) for name in _CONFIGURED}
        workers, self.WORKERS = self.WORKERS, {}
        listeners, self.LISTENERS = self.LISTENERS, []
        self._is_reloading = True
        try:
            super().reload()
        except (Exception, SystemExit) as error:
            for name, value in kept.items():
                setattr(self, name, value)
            self.app.cfg = self.cfg
            useless, self.LISTENERS = self.LISTENERS, listeners
            facts = {"reason": _reason(error)}
            self.log.error("not reloaded: the service goes on as it was", extra={"facts": facts})
        else:
            useless = listeners if self.LISTENERS else []
            self.LISTENERS = self.LISTENERS or listeners
            self._outdated_age = self.worker_age
            self._pause_s, self._try_again_at = SHORTEST_PAUSE_S, 0.0
        finally:
            self.WORKERS = workers
            self._is_reloading = False
        for listener in useless:
            listener.close()

    def reexec(self) -> None:
        """Start a second master, or go on without."""
        try:
            super().reexec()
        except Exception as error:
            self.log.error("no second master", extra={"facts": {"reason": _reason(error)}})
            if os.getpid() != self.pid:  # it was forked, and its program could not be run
                os._exit(_FAILED_UPGRADE)

    def stop(self, graceful: bool = True) -> None:
        """End all workers."""
        self._is_stopping = True
        super().stop(graceful)

    def _current(self) -> list[Any]:
        """Return the workers that no reload has outdated."""
        return [worker for worker in self.WORKERS.values() if worker.age > self._outdated_age]

    def _time_start(self, worker: Any) -> None:
        """Let a worker that never shows a sign of life be ended like one that stopped to."""
        worker.begun, worker.told_at = 0.0, float("-inf")
        as_if_at = time.monotonic() + max(0.0, LONGEST_START_S - self.timeout)
        os.utime(worker.tmp.fileno(), (as_if_at, as_if_at))
        worker.begun = worker.tmp.last_update()

    def _find_folder(self) -> None:
        """Keep the files with which workers show that they live where files can be created."""
        configured, fallback = self.cfg.worker_tmp_dir, str(self._fallback)
        try:
            _try_folder(configured)
        except OSError as error:
            try:
                _try_folder(fallback)
            except OSError:
                raise error from None
            self.cfg.set("worker_tmp_dir", fallback)
            facts = {"folder": configured, "reason": _reason(error), "instead": fallback}
            self.log.warning("no file in the folder for signs of life", extra={"facts": facts})

    def _note_failure(self, reason: str) -> None:
        """Count a start that failed, tell it once, and pause before the next."""
        self.starts.count_failure()
        now = time.monotonic()
        if now >= self._try_again_at:
            self._try_again_at = now + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        if not self._has_served and not self.WORKERS:
            print(f"fraudscore cannot start: no worker can be had: {reason}", file=sys.stderr)  # noqa: T201
            raise HaltServer("No worker can be had.", self.WORKER_BOOT_ERROR)
        if not self._is_short:
            self.log.error(
                "a worker is missing and is tried again", extra={"facts": {"reason": reason}}
            )
        self._is_short = True

    def _tell(self, n_serving: int) -> None:
        """Report how many workers are missing after a failed start, and once when none is."""
        if not self._is_short:
            return
        self.starts.report_missing(max(0, self.num_workers - n_serving))
        if n_serving >= self.num_workers:
            self._is_short = False
            self._pause_s = SHORTEST_PAUSE_S
            self.log.info("no worker is missing any more")


def _serves(worker: Any) -> bool:
    """Return whether a worker has shown a sign of life, as it does once it accepts connections."""
    try:
        return bool(worker.tmp.last_update() != worker.begun)
    except (OSError, ValueError):  # its file is closed already
        return False


def _try_folder(folder: str | None) -> None:
    """Create a file in a folder and remove it, or raise OSError."""
    tempfile.NamedTemporaryFile(prefix="fraudscore-", dir=folder).close()


def _reason(error: BaseException) -> str:
    """Say in one line what went wrong."""
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror}"
    if isinstance(error, SystemExit) and not isinstance(error.code, str):
        return "the configuration cannot be read"  # the standard error has the details
    return one_line(str(error)) or type(error).__name__
