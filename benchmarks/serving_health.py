"""How soon /health answers while a service is saturated, or beset by clients that never finish."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from benchmarks import wrk
from benchmarks.percentiles import percentile
from benchmarks.server_process import Field, Server
from benchmarks.tables import markdown

EVERY_S, PATIENCE_S = 0.05, 10.0
SATURATING, SLOW = 64, 40
ASKED_MS = 250

HEAD = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
UNFINISHED = {
    "half a head": HEAD,
    "half a body": HEAD + b'Content-Length: 700\r\n\r\n{"Time": 0,',
    "silent": b"",
}


def answered_after(port: int) -> float:
    """Ask for /health over a connection of its own; return the milliseconds to a 200.

    What is not answered in time, or otherwise, counts as the whole patience.
    """
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/health")
        if connection.getresponse().status == http.HTTPStatus.OK:
            connection.close()
            return 1e3 * (time.perf_counter() - began)
    connection.close()
    return 1e3 * PATIENCE_S


def asked_for(port: int, seconds: float) -> list[float]:
    """Ask for /health again and again; return how many milliseconds each answer took."""
    taken = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        taken.append(answered_after(port))
        time.sleep(EVERY_S)
    return taken


@contextmanager
def beset(port: int, sent: bytes) -> Iterator[None]:
    """Hold connections open that send a part of a request and nothing more."""
    with ExitStack() as stack:
        for _ in range(SLOW):
            connection = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
            stack.enter_context(connection)
            connection.sendall(sent)
        yield


def probe(server: Server, seconds: int) -> dict[str, list[float]]:
    """Return the milliseconds of every answer in peace, under saturation and under each siege."""
    found = {"idle": asked_for(server.port, seconds)}
    load = server.load(1, SATURATING, seconds + 1)
    found["saturated"] = asked_for(server.port, seconds)
    wrk.finish(load)
    for name, sent in UNFINISHED.items():
        with beset(server.port, sent):
            found[name] = asked_for(server.port, seconds)
    return found


def health(field: Field, rounds: int, seconds: int, tell: Callable[[str], None]) -> str:
    """Return the table of how long /health takes."""
    found: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds):
        tell(f"/health, round {number + 1} of {rounds}")
        for name, conditions in field.each(partial(probe, seconds=seconds)).items():
            for condition, taken in conditions.items():
                found.setdefault((name, condition), []).extend(taken)
    lines = [
        (
            name,
            condition,
            str(len(taken)),
            f"{percentile(taken, 50):.1f}",
            f"{percentile(taken, 99):.1f}",
            f"{max(taken):.1f}",
        )
        for (name, condition), taken in found.items()
    ]
    header = ("service", "while", "asked", "p50 ms", f"p99 ms (asked ≤ {ASKED_MS})", "longest ms")
    return markdown(header, lines)
