"""How many requests a second, at which latency, for how much of the processor and of memory.

Every measurement starts a service anew, so that its connections spread anew over its workers and
its start is timed often. The contestants take turns at every load in every round, and are compared
within a round, because the machine's speed wanders.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import sleep

from benchmarks import wrk
from benchmarks.process_tree import (
    PROC,
    connections,
    cpu_seconds,
    machine_seconds,
    proportional_bytes,
)
from benchmarks.server_process import Field, Server
from benchmarks.serving_contestants import REFERENCE
from benchmarks.tables import markdown

WARM_UP_S = 1
BATCH = 1000


@dataclass(frozen=True)
class Job:
    """So many connections, each with requests of so many transactions."""

    n_rows: int
    connections: int

    @property
    def title(self) -> str:
        """Return the heading of its table."""
        what = "One transaction" if self.n_rows == 1 else f"{self.n_rows:,} transactions"
        return f"{what} a request, {self.connections} connection{'s'[: self.connections - 1]}"


JOBS = (Job(1, 1), Job(1, 16), Job(1, 64), Job(BATCH, 1), Job(BATCH, 4))

# contestant → job → times the peer's rows a second (at least), times its processor time (at most)
TEXTBOOK, SHIPPED, LANE_OFF = "textbook", "shipped default", "textbook, lane off"
ASKED = {
    f"fraudscore, {TEXTBOOK}": {
        JOBS[0]: (1.4, 0.6),
        JOBS[1]: (2.0, 0.5),
        JOBS[2]: (2.0, 0.5),
        JOBS[3]: (3.0, 0.3),
        JOBS[4]: (4.0, 0.3),
    },
    f"fraudscore, {LANE_OFF}": {JOBS[1]: (1.1, 0.85)},
    f"fraudscore, {SHIPPED}": {
        JOBS[1]: (1.3, None),
        JOBS[2]: (1.3, None),
        JOBS[3]: (2.0, None),
        JOBS[4]: (2.0, None),
    },
}


@dataclass(frozen=True)
class Sample:
    """One measurement of one service; rates and processor time are those of a row."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    failures: float
    memory_mb: float
    seconds_to_ready: float
    largest_share: float
    others_share: float  # of all processors' time, by programs that have nothing to do with it


Samples = dict[Job, list[dict[str, Sample]]]  # by job, round and contestant


def measure(server: Server, job: Job, seconds: int) -> Sample:
    """Warm a service up, load it, and see what it used."""
    wrk.finish(server.load(job.n_rows, job.connections, WARM_UP_S))
    before, machine_before = cpu_seconds(server.processes()), machine_seconds(stat())
    wrk_before = cpu_of_children()
    load = server.load(job.n_rows, job.connections, seconds)
    sleep(seconds / 2)
    spread = connections(server.processes(), server.port)
    seen = wrk.finish(load)
    pids = server.processes()
    cpu, (busy, total) = cpu_seconds(pids) - before, machine_seconds(stat())
    others = busy - machine_before[0] - cpu - (cpu_of_children() - wrk_before)
    rows = max(seen.requests, 1) * job.n_rows
    return Sample(
        per_second=seen.requests * job.n_rows / seen.seconds,
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        cpu_us=1e6 * cpu / rows,
        failures=seen.failures,
        memory_mb=proportional_bytes(pids) / 1e6,
        seconds_to_ready=server.seconds_to_ready,
        largest_share=max(spread.values(), default=0) / max(spread.total(), 1),
        others_share=max(others, 0.0) / (total - machine_before[1]),
    )


def stat() -> str:
    """Return what the system says of its processors."""
    return (PROC / "stat").read_text()


def cpu_of_children() -> float:
    """Return the processor time of what this program started and has waited for: here, wrk."""
    times = os.times()
    return times.children_user + times.children_system


def in_rounds(field: Field, rounds: int, seconds: int, tell: Callable[[str], None]) -> Samples:
    """Let the contestants take turns at every load, round after round."""
    samples: Samples = {job: [] for job in JOBS}
    for number in range(rounds):
        for job in JOBS:
            tell(f"round {number + 1} of {rounds}: {job.title.lower()}")
            samples[job].append(field.each(partial(measure, job=job, seconds=seconds)))
    return samples


def ratio(
    rounds: Sequence[dict[str, Sample]], name: str, figure: Callable[[Sample], float]
) -> float | None:
    """Return the median over rounds of a contestant's figure over that of the reference."""
    ratios = [
        figure(found[name]) / figure(found[REFERENCE])
        for found in rounds
        if name in found and REFERENCE in found and figure(found[REFERENCE]) > 0
    ]
    return median(ratios) if ratios else None


def table(job: Job, rounds: Sequence[dict[str, Sample]]) -> str:
    """Return the table of one load: medians over the rounds, and ratios within a round."""
    unit = "requests" if job.n_rows == 1 else "rows"
    header = (
        f"{job.connections} × {job.n_rows:,}",
        f"{unit} a second",
        "p50 ms",
        "p99 ms",
        f"CPU µs a {unit[:-1]}",
        "failures",
        "largest worker's share",
        "times the reference",
        "CPU against it",
        "p99 against it",
    )
    names = dict.fromkeys(name for found in rounds for name in found)
    return markdown(header, [_line(job, rounds, name) for name in names])


def _line(job: Job, rounds: Sequence[dict[str, Sample]], name: str) -> tuple[str, ...]:
    own = [found[name] for found in rounds if name in found]

    def middle(figure: Callable[[Sample], float]) -> float:
        return median(map(figure, own))

    faster, cpu = ASKED.get(name, {}).get(job, (None, None))
    return (
        name,
        f"{middle(lambda s: s.per_second):,.0f}",
        f"{middle(lambda s: s.p50_ms):.2f}",
        f"{middle(lambda s: s.p99_ms):.2f}",
        f"{middle(lambda s: s.cpu_us):.4g}",
        f"{sum(s.failures for s in own):.0f}",
        f"{middle(lambda s: s.largest_share):.0%}",
        _against(ratio(rounds, name, lambda s: s.per_second), faster, "≥"),
        _against(ratio(rounds, name, lambda s: s.cpu_us), cpu, "≤"),
        _against(ratio(rounds, name, lambda s: s.p99_ms), None, ""),
    )


def _against(found: float | None, asked: float | None, sign: str) -> str:
    """Return a ratio beside what is asked of it."""
    cell = "–" if found is None else f"{found:.2f}"
    return cell if asked is None else f"{cell} (asked {sign} {asked:g})"


def footprint(samples: Samples) -> str:
    """Return the table of memory (the most of any load) and of the time to the first answer."""
    own: dict[str, list[Sample]] = {}
    for rounds in samples.values():
        for found in rounds:
            for name, sample in found.items():
                own.setdefault(name, []).append(sample)
    lines = [
        (
            name,
            f"{max(s.memory_mb for s in taken):.0f}",
            f"{median(s.seconds_to_ready for s in taken):.2f}",
            f"{max(s.seconds_to_ready for s in taken):.2f}",
        )
        for name, taken in own.items()
    ]
    lines.append(("asked of ours", "< 150", "< 1.5", ""))
    return markdown(("service", "memory MB (PSS)", "start to ready s", "longest"), lines)


def quietness(samples: Samples) -> str:
    """Say how much of the machine other programs took meanwhile."""
    shares = [
        s.others_share for rounds in samples.values() for found in rounds for s in found.values()
    ]
    if not shares:
        return "Nothing was measured."
    return (
        f"Other programs took {median(shares):.0%} of the processors' time meanwhile (median; at "
        f"most {max(shares):.0%})."
    )
