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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import orjson

from benchmarks.feature_timing import Timing
from benchmarks.server_process import NotAvailableError, last_line
from benchmarks.serving_contestants import ROOT, Rows, records
from benchmarks.serving_throughput import BATCH
from benchmarks.tables import markdown

Micros = dict[str, float]  # by what was timed


@dataclass(frozen=True)
class Variant:
    """Settings that differ from the shipped ones, without their prefix, and what else differs."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    is_counted: bool = True
    has_key: bool = False
    adds: bool = False  # the feature is there in the variant, not in the shipped configuration


SHIPPED = Variant("as shipped")
VARIANTS = (
    Variant("metrics", is_counted=False),
    Variant("log line", {"LOG_LEVEL": "WARNING"}),
    Variant("an API key", has_key=True, adds=True),
    Variant("Flask's dispatch instead of the lane", {"LANE": "off"}, adds=True),
)
# of a part, in µs
ASKED = {"answer": 30.0, "around": 15.0, "batch": 5.0}


def timed(variant: Variant, model: Path, folder: Path) -> Micros:
    """Return the shortest time of each part of a request in a process of the variant."""
    settings = {"MODEL_DIR": str(model), **variant.settings}
    key = None
    if variant.has_key:
        settings["KEYS_FILE"] = str(folder / "keys.json")
        key = made_key(folder)
    result = folder / "timing.json"
    timing = Timing(
        single=str(folder / "single.json"),
        batch=str(folder / "batch.json"),
        result=str(result),
        key=key,
        is_counted=variant.is_counted,
    )
    run_python(folder, settings, "benchmarks.feature_timing", json.dumps(asdict(timing)))
    return json.loads(result.read_text())


def made_key(folder: Path) -> str:
    """Make an API key in a new file, as an operator would, and return it."""
    path = folder / "keys.json"
    path.unlink(missing_ok=True)
    return run_python(folder, {}, "app", "keys", "--file", str(path), "add", "benchmark").strip()


def run_python(folder: Path, settings: Mapping[str, str], module: str, *arguments: str) -> str:
    """Run one of our modules under some settings; return what it prints."""
    output = folder / "output.log"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FRAUDSCORE_")}
    chosen = {f"FRAUDSCORE_{key}": value for key, value in settings.items()}
    with output.open("wb") as out:
        done = subprocess.run(  # noqa: S603 (ourselves)
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=inherited | chosen | {"TMPDIR": str(folder)},
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    text = output.read_text(errors="replace")
    if done.returncode:
        raise NotAvailableError(last_line(text))
    return text


def features(
    model: Path, rows: Rows, folder: Path, rounds: int, tell: Callable[[str], None]
) -> str:
    """Return the tables of what a request consists of and what each feature adds to it."""
    (folder / "single.json").write_bytes(orjson.dumps(records(rows, True)))
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
        "request": ("one transaction: the whole request", lambda m: m["request"] - m["nothing"]),
        "answer": ("… parse, validate, score, encode", lambda m: m["answer"]),
        "check": ("… … of which validation", lambda m: m["answer"] - m["answer, unchecked"]),
        "around": (
            "… request id, checks, log line, metrics",
            lambda m: m["request"] - m["nothing"] - m["answer"],
        ),
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
            continue
        sign = 1 if variant.adds else -1
        added = [
            sign * (other["request"] - shipped["request"])
            for shipped, other in zip(found[SHIPPED.name], found[variant.name], strict=True)
        ]
        lines.append((variant.name, f"{median(added):.1f}"))
    missing = [f"- {name}: not available: {why}" for name, why in unavailable.items()]
    return "\n".join((markdown(("feature", "adds µs a request"), lines), "", *missing)).rstrip()
