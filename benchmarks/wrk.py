"""Closed-loop load: ``wrk`` posts a body over kept-alive connections as fast as it is answered."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """\
local input = assert(io.open(os.getenv("WRK_BODY"), "rb"))
wrk.method = "POST"
wrk.body = input:read("*a")
wrk.headers["Content-Type"] = "application/json"
input:close()

function done(summary, latency, _)
  local failed = summary.errors
  local lost = failed.connect + failed.read + failed.write + failed.timeout
  print(string.format("measured requests=%d us=%d p50=%f p99=%f lost=%d refused=%d",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    lost, failed.status))
end
"""
MEASURED = re.compile(
    r"^measured requests=(\d+) us=(\d+) p50=([\d.]+) p99=([\d.]+) lost=(\d+) refused=(\d+)$",
    re.MULTILINE,
)
TIMEOUT_S = 10


@dataclass(frozen=True)
class Load:
    """What wrk saw: requests that were answered, milliseconds, and answers other than 2xx or none.

    Attributes
    ----------
    requests : int
        Answered with 2xx.
    seconds, p50_ms, p99_ms : float
    failures : int
    """

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failures: int


def is_here() -> bool:
    """Say whether wrk is installed."""
    return shutil.which("wrk") is not None


def start(
    url: str, body: Path, connections: int, seconds: int, folder: Path
) -> subprocess.Popen[str]:
    """Begin to load a server from one thread; the script that does it goes into a folder."""
    script = folder / "post.lua"
    script.write_text(SCRIPT)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT_S}s"]
    return subprocess.Popen(  # noqa: S603 (our own arguments)
        [*command, "-s", str(script), url],
        env=os.environ | {"WRK_BODY": str(body)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(load: subprocess.Popen[str]) -> Load:
    """Wait for the end of a load and return what it measured."""
    text, _ = load.communicate()
    return parse(text)


def parse(text: str) -> Load:
    """Read the line that our script prints among wrk's own."""
    found = MEASURED.search(text)
    if found is None:
        raise SystemExit(f"wrk did not finish: {text.strip().splitlines()[-1:]}")
    requests, micros, lost, refused = (int(found[group]) for group in (1, 2, 5, 6))
    return Load(
        requests=requests - refused,
        seconds=micros / 1e6,
        p50_ms=float(found[3]) / 1e3,
        p99_ms=float(found[4]) / 1e3,
        failures=lost + refused,
    )
