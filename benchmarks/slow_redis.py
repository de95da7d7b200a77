"""A Redis behind a link that lets every answer wait, for services that count rate limits there."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from benchmarks import slow_link
from benchmarks.generator import ROOT

READY_WITHIN_S = 20
PROBE_S = 0.01
LEAST_S, MOST_S = 0.02, 0.095  # never so late that it would count as no answer
LIMIT = "100000000/minute"  # which nobody reaches: it is the counting that is measured


def is_here() -> bool:
    """Say whether Redis is installed."""
    return shutil.which("redis-server") is not None


@contextmanager
def redis(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Redis that keeps nothing."""
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with ended([*command, "--dir", str(folder), "--loglevel", "warning"], port) as process:
        yield process


@contextmanager
def slowed(behind: int, port: int) -> Iterator[None]:
    """Put a slow link in front of a port."""
    with ended(slow_link.command(slow_link.Plan(port, behind, LEAST_S, MOST_S)), port):
        yield


@contextmanager
def ended(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that listens on a port, and kill it afterwards."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)  # noqa: S603 (ours)
    with ExitStack() as stack:
        stack.callback(process.wait)
        stack.callback(process.kill)
        deadline = time.monotonic() + READY_WITHIN_S
        while not is_open(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[0]} does not listen on port {port}")
            time.sleep(PROBE_S)
        yield process


def is_open(port: int) -> bool:
    """Say whether somebody listens on a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def unused_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
