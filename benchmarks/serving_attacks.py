"""What cheap attacks do to a service: how soon /health answers, and how many are scored meanwhile.

Every attack is one that costs its sender little: connections without a byte, bodies that are
refused, bodies that ask for much, and a Redis that is slow. Ordinary clients score single
transactions beside it, with a pause after each answer, so that in peace nothing is saturated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import count, islice
from pathlib import Path
from typing import Any

import orjson

from benchmarks import closed_loop, empty_connections, health_probe
from benchmarks.generator import generating
from benchmarks.percentiles import percentile
from benchmarks.server_process import Field, Server
from benchmarks.tables import markdown

EVERY_S = 0.02  # between two questions for /health
BEGINS_S = 0.5  # for a load generator to start
CLIENTS, PAUSE_S = 8, 0.01
ASKED_MS = 50

EMPTY_RATES = (600, 1_000, 2_000)
UNKNOWN_ROWS, UNKNOWN_KEYS = 100, 10  # which make 8 KB
FEW, MANY = 2, 8  # clients that send costly bodies
SIZES = (15, 60, 250, 1_000)  # transactions in a body, so that some are just below any limit
EVERYTHING = "?explain=true&anomaly=true"

Command = list[str]


@dataclass(frozen=True)
class Attack:
    """A load: the command that begins it against a server, and the clients that are asked about."""

    title: str
    begin: Callable[[Server, float], Command] | None = None
    ordinary: Callable[[Server, float], closed_loop.Plan] | None = None


@dataclass(frozen=True)
class Seen:
    """What one run saw: milliseconds of every answer of /health, and what ordinary clients got."""

    health_ms: list[float]
    per_second: float
    failures: int  # of ordinary clients: no answer, or another than 200


def ordinary(server: Server, seconds: float) -> closed_loop.Plan:
    """Return the clients that score single transactions over kept connections."""
    return closed_loop.Plan(
        port=server.port,
        path=server.contestant.single,
        bodies=[str(server.body(1))],
        clients=CLIENTS,
        seconds=seconds,
        pause_s=PAUSE_S,
    )


def unkept(server: Server, seconds: float, clients: int) -> closed_loop.Plan:
    """Return clients that connect anew for every transaction, without a pause."""
    return closed_loop.Plan(
        port=server.port,
        path=server.contestant.single,
        bodies=[str(server.body(1))],
        clients=clients,
        seconds=seconds,
        keeps_connection=False,
    )


def empty(server: Server, seconds: float, rate: float) -> Command:
    """Open and close connections without a byte."""
    return empty_connections.command(empty_connections.Plan(server.port, rate, seconds))


def unknown_keys(server: Server, seconds: float, clients: int) -> Command:
    """Post transactions whose fields are all unknown, and look like those that are known."""
    path = server.folder / "unknown_keys.json"
    path.write_bytes(unknown_rows())
    return _posting(server, seconds, "", [path], clients)


def unknown_rows() -> bytes:
    """Return the body of such transactions; no two fields have the same name."""
    names = (f"V{number}" for number in count(100))
    return orjson.dumps(
        [dict.fromkeys(islice(names, UNKNOWN_KEYS), 0) for _ in range(UNKNOWN_ROWS)]
    )


def costly_rows(server: Server, seconds: float, sizes: Sequence[int]) -> Command:
    """Post many transactions that are all to be explained, twice."""
    return _posting(server, seconds, EVERYTHING, [server.body(n) for n in sizes], MANY)


def _posting(
    server: Server, seconds: float, query: str, bodies: Sequence[Path], clients: int
) -> Command:
    path = server.contestant.batch + query
    plan = closed_loop.Plan(server.port, path, list(map(str, bodies)), clients, seconds)
    return closed_loop.command(plan)


ATTACKS = (
    Attack("nothing else"),
    *(
        Attack(f"{rate:,} empty connections a second", partial(empty, rate=rate))
        for rate in EMPTY_RATES
    ),
    Attack("4 clients that keep no connection", ordinary=partial(unkept, clients=4)),
    *(
        Attack(f"{n} clients with 8 KB of unknown keys", partial(unknown_keys, clients=n))
        for n in (FEW, MANY)
    ),
    Attack(
        f"{MANY} clients with {SIZES[-1]:,} rows, explained",
        partial(costly_rows, sizes=SIZES[-1:]),
    ),
    Attack(
        f"{MANY} clients with {SIZES[0]} to {SIZES[-1]:,} rows, explained",
        partial(costly_rows, sizes=SIZES),
    ),
)


def under(server: Server, attack: Attack, seconds: float) -> Seen:
    """Ask for /health, and let ordinary clients score, while an attack goes on."""
    lasting = seconds + 2 * BEGINS_S
    with ExitStack() as running:
        if attack.begin is not None:
            running.enter_context(generating(attack.begin(server, lasting)))
        clients = (attack.ordinary or ordinary)(server, lasting)
        scoring = running.enter_context(generating(closed_loop.command(clients)))
        time.sleep(BEGINS_S)
        probe = health_probe.Plan(server.port, EVERY_S, seconds)
        asking = running.enter_context(generating(health_probe.command(probe)))
        return seen(asking.outcome()["milliseconds"], scoring.outcome())


def seen(health_ms: list[float], outcome: dict[str, Any]) -> Seen:
    """Count the answers of ordinary clients."""
    by_status = [(status, n) for answers in outcome["answers"] for status, _, n in answers]
    good = sum(n for status, n in by_status if status == HTTPStatus.OK)
    others = sum(n for status, n in by_status if status != HTTPStatus.OK)
    return Seen(
        health_ms=health_ms,
        per_second=good / outcome["seconds"],
        failures=others + sum(outcome["lost"].values()),
    )


Found = dict[tuple[str, str], list[Seen]]  # by service and attack; one for every round


def attacked(
    field: Field,
    attacks: Sequence[Attack],
    rounds: int,
    seconds: float,
    tell: Callable[[str], None],
) -> Found:
    """Let the services take turns under every attack, round after round, each time started anew."""
    found: Found = {}
    for number in range(rounds):
        for attack in attacks:
            tell(f"attacks, round {number + 1} of {rounds}: {attack.title}")
            visit = partial(under, attack=attack, seconds=seconds)
            for name, run in field.each(visit).items():
                found.setdefault((name, attack.title), []).append(run)
    return found


def table(found: Found) -> str:
    """Return the table of what was seen: answers of /health over all rounds, means else."""
    header = (
        "while there is",
        "service",
        "/health p50 ms",
        f"p99 ms (asked ≤ {ASKED_MS})",
        "longest ms",
        "answers a second",
        "failures",
    )
    lines = []
    for name, title in sorted(found, key=lambda key: _order(found, key)):
        runs = found[name, title]
        taken = [ms for run in runs for ms in run.health_ms]
        lines.append(
            (
                title,
                name,
                *(f"{percentile(taken, percent):.1f}" for percent in (50, 99)),
                f"{max(taken):.1f}",
                f"{sum(run.per_second for run in runs) / len(runs):,.0f}",
                str(sum(run.failures for run in runs)),
            )
        )
    return markdown(header, lines)


def _order(found: Found, key: tuple[str, str]) -> tuple[int, int]:
    """Attacks in the order in which they were first seen, services likewise."""
    names = list(dict.fromkeys(name for name, _ in found))
    titles = list(dict.fromkeys(title for _, title in found))
    return titles.index(key[1]), names.index(key[0])
