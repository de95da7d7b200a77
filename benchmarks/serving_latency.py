"""Latency where requests come when they come: Poisson arrivals at half of what a service can do.

Capacity is what wrk gets over 16 connections just before, on the same running service.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from benchmarks import open_loop, wrk
from benchmarks.percentiles import percentile
from benchmarks.server_process import Field, Server
from benchmarks.tables import markdown

CONNECTIONS, OF_CAPACITY = 16, 0.5
WARM_UP_S, CAPACITY_S = 1, 3


@dataclass(frozen=True)
class Arrivals:
    """What one run of the open loop saw."""

    rate: float
    latencies_ms: list[float]
    late_ms: float  # 99th percentile of how late the generator itself was
    lost: int
    refused: int
    answers: Counter[tuple[str, float]]  # by model version and probability

    def at(self, percent: float) -> float:
        """Return a percentile of the latency in milliseconds."""
        return percentile(self.latencies_ms, percent)


def capacity(server: Server) -> float:
    """Return how many requests of one transaction a second a service answers at most."""
    wrk.finish(server.load(1, CONNECTIONS, WARM_UP_S))
    seen = wrk.finish(server.load(1, CONNECTIONS, CAPACITY_S))
    return seen.requests / seen.seconds


def begin(server: Server, rate: float, seconds: float, seed: int) -> subprocess.Popen[str]:
    """Begin to send requests of one transaction at random moments."""
    plan = open_loop.Plan(
        port=server.port,
        path=server.contestant.single,
        body=str(server.body(1)),
        rate=rate,
        seconds=seconds,
        connections=CONNECTIONS,
        seed=seed,
    )
    return subprocess.Popen(open_loop.command(plan), stdout=subprocess.PIPE, text=True)  # noqa: S603 (ourselves)


def finish(load: subprocess.Popen[str], rate: float) -> Arrivals:
    """Wait for the last answer and return what was seen."""
    text, _ = load.communicate()
    if load.returncode:
        raise SystemExit("the open-loop load generator failed")
    return read(json.loads(text), rate)


def read(outcome: dict[str, Any], rate: float) -> Arrivals:
    """Turn what the generator prints into figures; answers of peers have no model version."""
    answers: Counter[tuple[str, float]] = Counter()
    for body, count in outcome["answers"].items():
        document = json.loads(body)
        if isinstance(document, dict) and isinstance(document.get("model"), dict):
            answers[document["model"]["version"], document["probability"]] += count
    return Arrivals(
        rate=rate,
        latencies_ms=[1e3 * latency for latency in outcome["latencies"]] or [float("nan")],
        late_ms=1e3 * percentile(outcome["lateness"] or [float("nan")], 99),
        lost=outcome["lost"],
        refused=sum(n for status, n in outcome["statuses"].items() if not status.startswith("2")),
        answers=answers,
    )


def at_half(server: Server, seconds: float, seed: int) -> Arrivals:
    """Measure a service under Poisson arrivals at half of its capacity."""
    rate = OF_CAPACITY * capacity(server)
    return finish(begin(server, rate, seconds, seed), rate)


def poisson(field: Field, rounds: int, seconds: float, tell: Callable[[str], None]) -> str:
    """Return the table of latencies under Poisson arrivals."""
    found: dict[str, list[Arrivals]] = {}
    for number in range(rounds):
        tell(f"Poisson arrivals, round {number + 1} of {rounds}")
        for name, seen in field.each(partial(at_half, seconds=seconds, seed=number)).items():
            found.setdefault(name, []).append(seen)
    header = ("service", "requests a second", "p50 ms", "p99 ms", "p99.9 ms", "lost", "late ms")
    return markdown(header, [_line(name, runs) for name, runs in found.items()])


def _line(name: str, runs: list[Arrivals]) -> tuple[str, ...]:
    return (
        name,
        f"{median(run.rate for run in runs):,.0f}",
        *(f"{median(run.at(percent) for run in runs):.2f}" for percent in (50, 99, 99.9)),
        str(sum(run.lost + run.refused for run in runs)),
        f"{median(run.late_ms for run in runs):.2f}",
    )
