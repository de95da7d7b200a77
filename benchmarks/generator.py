"""A load generator in a process of its own, so that it does not wait for whoever started it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ENDED_WITHIN_S = 40  # what is still on its way is waited for, each with a time-out of its own


class Generator:
    """A running load; what it saw goes to a file, which never fills up as a pipe does."""

    def __init__(self, command: Sequence[str]) -> None:
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed in close)
        self.popen = subprocess.Popen(command, stdout=self._output, cwd=ROOT)  # noqa: S603 (ourselves)

    def outcome(self) -> dict[str, Any]:
        """Wait until the load is over and return what it saw."""
        if self.popen.wait():
            raise RuntimeError(f"a load generator failed: {self.popen.args!r}")
        self._output.seek(0)
        found: dict[str, Any] = json.load(self._output)
        return found

    def end(self) -> dict[str, Any]:
        """Let it finish what it has begun and return what it saw."""
        self.popen.terminate()
        return self.outcome()

    def close(self) -> None:
        """Ask it to end, and kill it if it does not."""
        self.popen.terminate()
        try:
            self.popen.wait(ENDED_WITHIN_S)
        finally:
            self.popen.kill()
            self.popen.wait()
            self._output.close()


@contextmanager
def generating(command: Sequence[str]) -> Iterator[Generator]:
    """Run a load and end it afterwards."""
    generator = Generator(command)
    try:
        yield generator
    finally:
        generator.close()
