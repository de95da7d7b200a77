"""Everything that is told of requests to the outside: metrics, the log line, the trace."""

from __future__ import annotations

import atexit
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from app.access.gate import Gate
from app.observability import metrics
from app.observability.counts import Counts
from app.observability.metrics import Series, total
from app.observability.published import PublishedSeries
from app.observability.request_log import RequestLog
from app.observability.starts import Starts
from app.observability.tracing import Tracing
from app.record import RequestRecord
from app.store import ModelStore

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger(__name__)

PUBLISH_SECONDS = 1.0  # what a killed worker may have counted in vain


class Observer:
    """Sees every request begin and end; what fails here is logged and costs nobody the answer.

    It comes to life when a worker begins, or at the latest with the first request of a process:
    its threads would not survive a fork.
    """

    def __init__(
        self,
        store: ModelStore,
        gate: Gate | None,
        log: RequestLog,
        run_dir: Path | None,
        tracing: Tracing | None,
    ) -> None:
        self._store = store
        self._gate = gate
        self._log = log
        self._folder = run_dir and run_dir / "metrics"
        self._tracing = tracing
        self._counts = Counts()
        self._published: PublishedSeries | None = None
        self._is_publishing_well = True
        self._is_open = False
        self._starts = Starts()
        self._lock = Lock()

    def begin(self, environ: WSGIEnvironment, record: RequestRecord) -> None:
        """Note that a request has come in."""
        if not self._is_open:
            self.open()
        self._counts.begin()
        if self._tracing is not None:
            try:
                self._tracing.begin(environ, record)
            except Exception:
                logger.exception("not traced", extra={"facts": {"request_id": record.request_id}})

    def end(self, record: RequestRecord) -> None:
        """Note what became of a request."""
        try:
            duration_s = record.duration_s
            self._counts.end(record, duration_s)
            self._log.write(record, duration_s)
            if self._tracing is not None:
                self._tracing.end(record)
        except Exception:
            logger.exception("not observed", extra={"facts": {"request_id": record.request_id}})

    def open(self, starts: Starts | None = None) -> None:
        """Begin to publish and to trace, once in a process and never before it forks.

        ``starts`` is what the master says of its workers.
        """
        with self._lock:
            if self._is_open:
                return
            if starts is not None:
                self._starts = starts
            self._open_tracing()
            if self._folder is not None:
                self._published = PublishedSeries(self._folder)
                self.publish(is_retiring=True)
                Thread(target=self._publish_again, name="metrics", daemon=True).start()
                atexit.register(self.publish)
            self._is_open = True

    def _open_tracing(self) -> None:
        """Begin to send spans; variables that cannot work cost the traces."""
        if self._tracing is None:
            return
        try:
            self._tracing.open()
        except ValueError as error:
            logger.error("not traced", extra={"facts": {"reason": str(error)}})
            self._tracing = None

    def publish(self, *, is_retiring: bool = False) -> None:
        """Let the other processes see our numbers; a disk that takes none costs nothing else."""
        published = self._published
        if published is None:
            return
        try:
            published.publish(self._series())
            if is_retiring:
                published.retire()
            self._is_publishing_well = True
        except OSError as error:
            if self._is_publishing_well:  # told once
                logger.error("metrics not published", extra={"facts": {"reason": str(error)}})
            self._is_publishing_well = False

    def collect(self) -> tuple[Series, list[int]]:
        """Return the numbers of all processes that share our folder, and the living ones' ids.

        Ours too are those that were published, fresh as they are: whichever process is asked next
        must not know of less.
        """
        self.publish(is_retiring=True)
        published = self._published
        if published is not None:
            with suppress(OSError):
                living, retired = published.read()
                if any(snapshot.identity == published.identity for snapshot in living):
                    parts = [snapshot.series for snapshot in living]
                    return total([retired, *parts]), [snapshot.pid for snapshot in living]
        return self._series(), [os.getpid()]  # there is no folder, or it never took our numbers

    def _publish_again(self) -> None:
        """Publish for as long as the process lives."""
        while True:
            time.sleep(PUBLISH_SECONDS)
            self.publish()

    def _series(self) -> Series:
        """Return the numbers of this process."""
        champion = self._store.current()
        artifact = champion.artifact
        own: Series = {
            (metrics.MODEL_INFO.name, (artifact.name, artifact.version, artifact.sha256)): [1],
            (metrics.MODEL_LOADED.name, ()): [champion.loaded_at],
            (metrics.WORKERS.name, ()): [1],
            (metrics.WORKERS_MISSING.name, ()): [self._starts.missing],
            (metrics.STARTS_FAILED.name, ()): [self._starts.failed],
            (metrics.DEGRADED.name, ()): [float(self._store.status()["status"] == "degraded")],
            (metrics.LINES_DROPPED.name, ()): [self._log.dropped],
        }
        for result, count in vars(self._store.swaps).items():
            own[metrics.MODEL_SWAPS.name, (result,)] = [count]
        if self._gate is not None:
            own |= self._gate.series()
        return total([self._counts.series(artifact), own])
