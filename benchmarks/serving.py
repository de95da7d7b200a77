"""What serving costs: our service beside FastAPI + ONNX Runtime, under the same load, in one run.

Ours is the shipped configuration, ``gunicorn -c gunicorn.conf.py`` with two workers and everything
on, over a textbook network trained on the spot (the work of the peers' model) and over the shipped
card model. The load generator is wrk, or our own where arrivals must not wait for answers; it runs
on the same processors as the service. Peers are those of ``../shared/peers``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import slow_redis, wrk
from benchmarks.server_process import Field
from benchmarks.serving_attacks import ATTACKS, Attack, attacked
from benchmarks.serving_attacks import table as attack_table
from benchmarks.serving_contestants import (
    PEER_NAMES,
    REFERENCE,
    WORKERS,
    Contestant,
    missing,
    ours,
    peer,
)
from benchmarks.serving_features import features
from benchmarks.serving_health import health
from benchmarks.serving_latency import poisson
from benchmarks.serving_models import Model, shipped, textbook, typical_rows
from benchmarks.serving_swaps import POLL_S, swaps
from benchmarks.serving_throughput import (
    BATCH,
    LANE_OFF,
    SHIPPED,
    TEXTBOOK,
    footprint,
    in_rounds,
    quietness,
    table,
)
from benchmarks.tables import environment, publish


@dataclass(frozen=True)
class Effort:
    """How long a run measures: rounds and seconds of each measurement."""

    rounds: int
    seconds: int
    short_rounds: int


FULL = Effort(rounds=3, seconds=4, short_rounds=2)
QUICK = Effort(rounds=1, seconds=2, short_rounds=1)


@dataclass(frozen=True)
class Bench:
    """Everything the sections need."""

    folder: Path
    effort: Effort
    models: tuple[Model, Model]  # textbook, shipped
    peers: Sequence[Contestant]

    @property
    def rows(self) -> list[dict[str, float]]:
        """Return the transactions that everybody is asked about."""
        spec = self.models[1].versions[0].scorer.spec
        return typical_rows(spec, BATCH, np.random.default_rng(0))

    def field(self, contestants: Sequence[Contestant]) -> Field:
        """Return contestants that take turns."""
        return Field(contestants, self.rows, self.folder)

    def everyone(self) -> Field:
        """Return our configurations and the peers, the first of whom takes its turn after ours."""
        plain, default = self.models
        own = [
            ours(TEXTBOOK, plain.folder),
            ours(SHIPPED, default.folder),
            ours(LANE_OFF, plain.folder, LANE="off"),
            ours("textbook, gthread", plain.folder, WORKER="gthread"),
        ]
        return self.field([own[0], *self.peers[:1], *own[1:], *self.peers[1:]])


def throughput_section(bench: Bench) -> list[str]:
    """Return the tables of closed-loop load."""
    field = bench.everyone()
    samples = in_rounds(field, bench.effort.rounds, bench.effort.seconds, tell)
    return [
        "## Closed loop",
        *(table(job, rounds) for job, rounds in samples.items()),
        footprint(samples),
        quietness(samples),
        *unavailable(field),
    ]


def poisson_section(bench: Bench) -> list[str]:
    """Return the table of open-loop load."""
    field = bench.everyone()
    found = poisson(field, bench.effort.short_rounds, 2 * bench.effort.seconds, tell)
    return ["## Poisson arrivals at half of capacity", found, *unavailable(field)]


def swap_section(bench: Bench) -> list[str]:
    """Return the table of changes of the champion."""
    models = {f"fraudscore, {m.name}, polled every {POLL_S} s": m for m in bench.models}
    field = bench.field(
        [
            ours(name.removeprefix("fraudscore, "), m.folder, MODEL_POLL_SECONDS=POLL_S)
            for name, m in models.items()
        ]
    )
    found = swaps(field, models, bench.effort.short_rounds, 2 * bench.effort.seconds, tell)
    return ["## A new champion every second", found, *unavailable(field)]


def health_section(bench: Bench) -> list[str]:
    """Return the table of /health under siege."""
    folder = bench.models[0].folder
    field = bench.field(
        [ours(TEXTBOOK, folder), ours("textbook, gthread", folder, WORKER="gthread")]
    )
    found = health(field, bench.effort.short_rounds, bench.effort.seconds, tell)
    return ["## /health under siege", found, *unavailable(field)]


def attack_section(bench: Bench) -> list[str]:
    """Return the table of cheap attacks, and of a Redis that is slow."""
    fields = [bench.field(_pair(bench))]
    found = attacked(fields[0], ATTACKS, bench.effort.short_rounds, bench.effort.seconds, tell)
    skipped = []
    if slow_redis.is_here():
        port, slow_port = slow_redis.unused_port(), slow_redis.unused_port()
        with slow_redis.redis(bench.folder, port), slow_redis.slowed(port, slow_port):
            for title, at in (("a Redis", port), ("a Redis that takes 20 to 95 ms", slow_port)):
                url = f"redis://127.0.0.1:{at}/0"
                settings = {"RATE_LIMIT": slow_redis.LIMIT, "REDIS_URL": url}
                fields.append(bench.field(_pair(bench, **settings)))
                found |= attacked(
                    fields[-1],
                    [Attack(title)],
                    bench.effort.short_rounds,
                    bench.effort.seconds,
                    tell,
                )
    else:
        skipped = ["Skipped a slow Redis: redis-server is not installed."]
    lines = [line for field in fields for line in unavailable(field)]
    return ["## Cheap attacks", attack_table(found), *skipped, *lines]


def _pair(bench: Bench, **settings: str) -> list[Contestant]:
    """Return the shipped service with its own worker and with Gunicorn's threads."""
    folder = bench.models[1].folder
    return [
        ours(SHIPPED, folder, **settings),
        ours(f"{SHIPPED}, gthread", folder, WORKER="gthread", **settings),
    ]


def feature_section(bench: Bench) -> list[str]:
    """Return the tables of what features cost."""
    rounds = 3 * bench.effort.short_rounds
    found = features(bench.models[0].folder, bench.rows, bench.folder, rounds, tell)
    return ["## What a request consists of, in process", found]


SECTIONS: dict[str, Callable[[Bench], list[str]]] = {
    "throughput": throughput_section,
    "poisson": poisson_section,
    "swaps": swap_section,
    "health": health_section,
    "attacks": attack_section,
    "features": feature_section,
}
WITHOUT_WRK = {"attacks", "features"}


def unavailable(field: Field) -> list[str]:
    """Return a line for each contestant that did not start."""
    lines = [f"- {name}: not available: {why}" for name, why in field.unavailable.items()]
    return ["\n".join(lines)] if lines else []


def tell(what: str) -> None:
    """Say on the error output what is going on, as a run takes long."""
    print(what, file=sys.stderr, flush=True)


def options() -> argparse.Namespace:
    """Return the arguments ``quick``, ``only`` and ``peers``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round; nothing is kept")
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=", ".join(SECTIONS)
    )
    parser.add_argument(
        "--peers", nargs="*", choices=PEER_NAMES, metavar="PEER", help=", ".join(PEER_NAMES)
    )
    return parser.parse_args()


def main() -> None:
    """Measure and print the tables; keep those of a whole run."""
    given = options()
    if not wrk.is_here() and not WITHOUT_WRK.issuperset(given.only or SECTIONS):
        print(
            "Skipped: wrk is needed to put load on the services (Debian: apt install wrk); without "
            f"it only these can be measured: --only {' '.join(sorted(WITHOUT_WRK))}."
        )
        return
    keys = given.peers if given.peers is not None else ["fastapi"]
    reasons = {key: why for key in keys if (why := missing(key))}
    for key, why in reasons.items():
        tell(f"Skipped {key}: {why}.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Bench(
            folder=folder,
            effort=QUICK if given.quick else FULL,
            models=(textbook(folder), shipped(folder)),
            peers=[peer(key) for key in keys if key not in reasons],
        )
        text = [
            "# What serving costs",
            environment("numpy", "flask", "gunicorn", "uvloop", "httptools", "orjson"),
            introduction(bench),
            *(f"Skipped {key}: {why}." for key, why in reasons.items()),
        ]
        for section in given.only or SECTIONS:
            text += SECTIONS[section](bench)
    if given.quick or given.only:
        print("\n\n".join(text))
    else:
        publish("serving", "\n\n".join(text))


def introduction(bench: Bench) -> str:
    """Say what is asked of which models, and how the figures came about."""
    effort, rows = bench.effort, bench.rows
    models = "; ".join(model.described(rows) for model in bench.models)
    return (
        f"{WORKERS} workers, load generator on the same cores. Decisions on the {len(rows):,} "
        f"transactions: {models}. Closed loop: {effort.rounds} rounds of {effort.seconds} s a "
        f"measurement; elsewhere {effort.short_rounds}. Medians over rounds; ratios within a "
        f"round, to {REFERENCE}. CPU: user and system time of all "
        "processes of the service. Memory: their proportional set size after the load."
    )


if __name__ == "__main__":
    main()
