"""A service under load: started on a free port, timed until it answers, ended with its children."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from benchmarks import wrk
from benchmarks.process_tree import processes
from benchmarks.serving_contestants import Contestant, Rows

READY_WITHIN_S = 120
GONE_WITHIN_S = 10
PROBE_S = 0.005
JSON = {"Content-Type": "application/json"}


Found = TypeVar("Found")


class NotAvailableError(Exception):
    """A service that does not start here, and its last line about it."""


class Server:
    """A running service, its bodies in files, and how long it took to its first answer."""

    def __init__(self, contestant: Contestant, rows: Rows, folder: Path) -> None:
        self.contestant = contestant
        self.rows = rows
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.mark = f"SERVING_BENCHMARK={uuid.uuid4()}"
        self.output = folder / f"{self.port}.log"
        began = time.perf_counter()
        with self.output.open("wb") as output:
            self.popen = subprocess.Popen(  # noqa: S603 (what the contestant says)
                [part.format(port=self.port) for part in contestant.command],
                cwd=contestant.folder,
                env=self._environ(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.end()
            raise
        self.seconds_to_ready = time.perf_counter() - began

    def body(self, n_rows: int) -> Path:
        """Return the file with a request of so many transactions."""
        path = self.folder / f"{self.port}_{n_rows}.json"
        if not path.exists():
            path.write_bytes(self.contestant.body(self.rows[:n_rows]))
        return path

    def load(self, n_rows: int, connections: int, seconds: int) -> subprocess.Popen[str]:
        """Begin to load it with requests of so many transactions."""
        url = f"http://127.0.0.1:{self.port}{self.contestant.path(n_rows)}"
        return wrk.start(url, self.body(n_rows), connections, seconds, self.folder)

    def processes(self) -> set[int]:
        """Return the ids of all its processes."""
        return processes(self.popen.pid, self.mark)

    def end(self) -> None:
        """Ask it to end, and kill what is left of it then."""
        self.popen.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.popen.wait(GONE_WITHIN_S)
        while alive := self.processes():
            for pid in alive:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.popen.poll()
            time.sleep(PROBE_S)

    def _environ(self) -> dict[str, str]:
        """Return our environment without our settings, with those of the contestant."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FRAUDSCORE_") and not name.endswith("_NUM_THREADS")
        }
        chosen = {k: v.format(port=self.port) for k, v in self.contestant.environ.items()}
        name, _, value = self.mark.partition("=")
        return inherited | chosen | {name: value, "TMPDIR": str(self.folder)}

    def _wait_until_ready(self) -> None:
        """Ask for the score of one transaction until it is given."""
        body = self.body(1).read_bytes()
        deadline = time.monotonic() + READY_WITHIN_S
        status: int | None = None
        while time.monotonic() < deadline:
            if self.popen.poll() is not None:
                raise NotAvailableError(last_line(self.output.read_text(errors="replace")))
            with suppress(OSError, http.client.HTTPException):
                status = post(self.port, self.contestant.single, body)
                if status == http.HTTPStatus.OK:
                    return
            time.sleep(PROBE_S)
        raise NotAvailableError(f"no answer within {READY_WITHIN_S} s (last status: {status})")


@contextmanager
def running(contestant: Contestant, rows: Rows, folder: Path) -> Iterator[Server]:
    """Start a service and end it afterwards, whatever happens in between."""
    server = Server(contestant, rows, folder)
    try:
        yield server
    finally:
        server.end()


def post(port: int, path: str, body: bytes) -> int:
    """Send one request over a connection of its own and return the status of its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", path, body, JSON)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def last_line(text: str) -> str:
    """Return the line that says why a process ended: ours says so, others name an error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for sign in ("cannot start", "Error:", ""):
        if reasons := [line for line in lines if sign in line]:
            return reasons[-1]
    return "it ended without a word"


class Field:
    """Who takes part, and who turned out not to start here."""

    def __init__(self, contestants: Sequence[Contestant], rows: Rows, folder: Path) -> None:
        self.contestants = list(contestants)
        self.rows = rows
        self.folder = folder
        self.unavailable: dict[str, str] = {}

    def each(self, visit: Callable[[Server], Found]) -> dict[str, Found]:
        """Start every contestant in turn, visit it, and return what was found, by name.

        Those that do not start are left out from then on.
        """
        found: dict[str, Found] = {}
        for contestant in self.contestants:
            if contestant.name in self.unavailable:
                continue
            try:
                with running(contestant, self.rows, self.folder) as server:
                    found[contestant.name] = visit(server)
            except NotAvailableError as error:
                self.unavailable[contestant.name] = str(error)
        return found
