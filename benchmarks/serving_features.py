"""What each feature costs a request, in µs: the application with it and without it, in turns.

Nothing goes over a socket: the WSGI callable is called in a process of its own for every variant,
with its log lines going to a file, and is charged the processor's time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import orjson

from benchmarks.server_process import NotAvailableError, last_line
from benchmarks.serving_contestants import ROOT, Rows, records
from benchmarks.serving_throughput import BATCH
from benchmarks.tables import markdown

Micros = dict[str, float]  # by what was timed


@dataclass(frozen=True)
class Variant:
    """Settings that differ from the shipped ones, without their prefix."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    is_with: bool = False  # the shipped settings are without what it adds


SHIPPED = Variant("as shipped")
VARIANTS = (
    Variant("log line", {"LOG_LEVEL": "WARNING"}),
    Variant("Flask's dispatch instead of the lane", {"LANE": "off"}, is_with=True),
)
# of a part, in µs
ASKED = {"answer": 30.0, "around": 15.0, "batch": 5.0}


def timed(variant: Variant, model: Path, folder: Path) -> Micros:
    """Return the shortest time of each part of a request in a process with these settings."""
    result, output = folder / "timing.json", folder / "timing.log"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FRAUDSCORE_")}
    settings = {f"FRAUDSCORE_{key}": value for key, value in variant.settings.items()}
    files = [str(path) for path in (folder / "1.json", folder / "batch.json", result)]
    with output.open("wb") as log:
        done = subprocess.run(  # noqa: S603 (ourselves)
            [sys.executable, "-m", "benchmarks.feature_timing", *files],
            cwd=ROOT,
            env=inherited | settings | {"FRAUDSCORE_MODEL_DIR": str(model), "TMPDIR": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise NotAvailableError(last_line(output.read_text(errors="replace")))
    return {name: own["least"] for name, own in json.loads(result.read_text()).items()}


def features(
    model: Path, rows: Rows, folder: Path, rounds: int, tell: Callable[[str], None]
) -> str:
    """Return the tables of what a request consists of and what each feature adds to it."""
    (folder / "1.json").write_bytes(orjson.dumps(records(rows, True)))
    (folder / "batch.json").write_bytes(orjson.dumps(records(rows[:BATCH], False)))
    found: dict[str, list[Micros]] = {}
    unavailable: dict[str, str] = {}
    for number in range(rounds):
        tell(f"features, round {number + 1} of {rounds}")
        for variant in (SHIPPED, *VARIANTS):
            if variant.name in unavailable:
                continue
            try:
                found.setdefault(variant.name, []).append(timed(variant, model, folder))
            except NotAvailableError as error:
                unavailable[variant.name] = str(error)
    return "\n\n".join((parts(found[SHIPPED.name]), costs(found, unavailable)))


def parts(rounds: Sequence[Micros]) -> str:
    """Return the table of what a request of the shipped configuration consists of."""
    figures: dict[str, tuple[str, Callable[[Micros], float]]] = {
        "request": ("one transaction: the whole request", lambda m: m["request"]),
        "answer": ("… parse, validate, score, encode", lambda m: m["answer"]),
        "check": ("… … of which validation", lambda m: m["answer"] - m["answer, unchecked"]),
        "around": ("… request id, checks, log line, metrics", lambda m: m["request"] - m["answer"]),
        "batch": (f"{BATCH:,} transactions: a row of it", lambda m: m["batch"] / BATCH),
        "batch check": (
            "… of which validation",
            lambda m: (m["batch"] - m["batch, unchecked"]) / BATCH,
        ),
    }
    lines = [
        (what, f"{median(map(figure, rounds)):.1f}", f"≤ {ASKED[key]:g}" if key in ASKED else "")
        for key, (what, figure) in figures.items()
    ]
    return markdown(("part", "µs", "asked"), lines)


def costs(found: Mapping[str, Sequence[Micros]], unavailable: Mapping[str, str]) -> str:
    """Return the table of what each feature adds to a request of one transaction."""
    lines = []
    for variant in VARIANTS:
        if variant.name in unavailable:
            lines.append((variant.name, f"not available: {unavailable[variant.name]}"))
            continue
        sign = 1 if variant.is_with else -1
        added = [
            sign * (other["request"] - shipped["request"])
            for shipped, other in zip(found[SHIPPED.name], found[variant.name], strict=True)
        ]
        lines.append((variant.name, f"{median(added):.1f}"))
    return markdown(("feature", "adds µs a request"), lines)
