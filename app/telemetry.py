"""JSON log lines, but for those of requests: ``app.observability.request_log`` writes faster."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime

import orjson

from app.output import STANDARD_OUTPUT, Output
from model.printable import printable


class JSONFormatter(logging.Formatter):
    """Writes a log record as one line of JSON; Gunicorn's own messages take this form too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": printable(record.getMessage()),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class LineHandler(logging.Handler):
    """Writes log records to the standard output; a line that it does not take at once is lost.

    Master and workers log where they must go on: while they stop, for one.
    """

    def __init__(self, output: int = STANDARD_OUTPUT) -> None:
        super().__init__()
        self._output = Output(output)
        self.setFormatter(JSONFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            line = self.format(record).encode() + b"\n"
        except Exception:
            self.handleError(record)
            return
        with suppress(OSError):
            self._output.write(line)

    def close(self) -> None:
        """Give the output back."""
        self._output.close()
        super().close()


def open_log(log_level: str) -> None:
    """Give the log lines of the application a way out where nobody else did."""
    package_logger = logging.getLogger(__package__)
    package_logger.setLevel(log_level)
    if not package_logger.hasHandlers():  # served by something that set up no logging
        package_logger.addHandler(LineHandler())
