"""What changing the champion every second costs those who are being answered meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from statistics import median

from benchmarks.server_process import Field, Server
from benchmarks.serving_contestants import Rows
from benchmarks.serving_latency import OF_CAPACITY, Arrivals, begin, capacity, finish
from benchmarks.serving_models import Model
from benchmarks.tables import markdown

EVERY_S = 1.0
POLL_S = "0.2"  # with the default of two seconds every other champion would be missed
SAME = 1e-6  # probabilities of one version; those of the other differ by far more
ASKED_MS = 20


@dataclass(frozen=True)
class Swapped:
    """The same arrivals without and with changes of the champion."""

    calm: Arrivals
    swapping: Arrivals
    swaps: int


def with_swaps(server: Server, models: Mapping[str, Model], seconds: float, seed: int) -> Swapped:
    """Measure a service in peace, then while its champion changes every second."""
    model = models[server.contestant.name]
    rate = OF_CAPACITY * capacity(server)
    calm = finish(begin(server, rate, seconds, seed), rate)
    swaps = 0
    with ThreadPoolExecutor(1) as reader:
        pending = reader.submit(finish, begin(server, rate, seconds, seed), rate)
        for number in cycle((1, 0)):
            wait([pending], EVERY_S)
            if pending.done():
                break
            model.promote(number)
            swaps += 1
    model.promote(0)
    return Swapped(calm, pending.result(), swaps)


def mixed(answers: Counter[tuple[str, float]], expected: Mapping[str, float]) -> int:
    """Count the answers whose probability is not that of the version they name."""
    return sum(
        count
        for (version, probability), count in answers.items()
        if version not in expected or abs(expected[version] - probability) > SAME
    )


def expected_of(model: Model, rows: Rows) -> dict[str, float]:
    """Return the probability that each version gives the transaction that is asked about."""
    return {
        artifact.version: float(
            artifact.scorer.score(artifact.scorer.spec.matrix_from_rows([rows[0]])).probability[0]
        )
        for artifact in model.versions
    }


def swaps(
    field: Field,
    models: Mapping[str, Model],
    rounds: int,
    seconds: float,
    tell: Callable[[str], None],
) -> str:
    """Return the table of latencies with and without changes of the champion."""
    found: dict[str, list[Swapped]] = {}
    for number in range(rounds):
        tell(f"changes of the champion, round {number + 1} of {rounds}")
        visit = partial(with_swaps, models=models, seconds=seconds, seed=number)
        for name, seen in field.each(visit).items():
            found.setdefault(name, []).append(seen)
    header = (
        "service",
        "requests a second",
        "p99 ms without",
        "p99 ms with",
        f"longer by (asked ≤ {ASKED_MS})",
        "changes",
        "lost without / with",
        "mixed",
        "answers by version",
    )
    lines = [
        _line(name, runs, expected_of(models[name], field.rows)) for name, runs in found.items()
    ]
    return markdown(header, lines)


def _line(name: str, runs: list[Swapped], expected: Mapping[str, float]) -> tuple[str, ...]:
    by_version: Counter[str] = Counter({version: 0 for version in expected})
    for run in runs:
        for (version, _), count in run.swapping.answers.items():
            by_version[version] += count
    return (
        name,
        f"{median(run.calm.rate for run in runs):,.0f}",
        f"{median(run.calm.at(99) for run in runs):.2f}",
        f"{median(run.swapping.at(99) for run in runs):.2f}",
        f"{median(run.swapping.at(99) - run.calm.at(99) for run in runs):.2f}",
        str(sum(run.swaps for run in runs)),
        " / ".join(
            str(sum(seen.lost + seen.refused for seen in phase))
            for phase in ([run.calm for run in runs], [run.swapping for run in runs])
        ),
        str(sum(mixed(run.swapping.answers, expected) for run in runs)),
        ", ".join(f"{version}: {count:,}" for version, count in by_version.items()),
    )
