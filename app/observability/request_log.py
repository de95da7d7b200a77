"""The log line of a request: written at once, past the machinery of ``logging``.

The same form as all other lines, at a tenth of the cost. A standard output that is full, closed or
not read by anybody costs lines, which are counted, never an answer.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from contextlib import suppress

import orjson

from app.record import RequestRecord

STANDARD_OUTPUT = 1


class RequestLog:
    """Writes one line of JSON a request: what happened and how long it took, no values."""

    def __init__(self, log_level: str, output: int = STANDARD_OUTPUT) -> None:
        lowest = logging.getLevelNamesMapping()[log_level]
        self._writes_all = lowest <= logging.INFO
        self._writes_errors = lowest <= logging.ERROR
        self._output = _unblocked(output)
        self._second = (0, "")
        self.dropped = 0

    def write(self, record: RequestRecord, duration_s: float) -> None:
        """Write the line of an answered request, unless its level is not wanted."""
        is_error = record.status >= 500
        if not (self._writes_errors if is_error else self._writes_all):
            return
        line = {
            "time": self._now(),
            "level": "error" if is_error else "info",
            "message": "request",
            "request_id": record.request_id,
            "method": record.method,
            "route": record.route,
            "status": record.status,
            "duration_ms": int(duration_s * 1e6) / 1000,
            **record.facts,
        }
        if record.client is not None:
            line["client"] = record.client
        if record.span is not None:
            line["trace_id"] = f"{record.span.get_span_context().trace_id:032x}"
        try:
            os.write(self._output, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        except OSError:
            self.dropped += 1

    def _now(self) -> str:
        """Return the time; all but its milliseconds are made once a second."""
        moment = time.time()
        second = int(moment)
        known, text = self._second
        if second != known:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second, text
        return f"{text}.{int((moment - second) * 1000):03d}+00:00"


def _unblocked(output: int) -> int:
    """Return a way to the same pipe on which writing never waits for whoever reads at its end.

    The pipe is opened once more, since a flag on the given one would change it for all who share
    it. What is no pipe, or may not be opened again, stays as it is.
    """
    with suppress(OSError):
        if stat.S_ISFIFO(os.fstat(output).st_mode):
            return os.open(f"/proc/self/fd/{output}", os.O_WRONLY | os.O_NONBLOCK)
    return output
