"""Contestants that take turns, because the machine's speed wanders."""

from __future__ import annotations

from collections.abc import Callable


def timed_rounds(
    contestants: dict[str, Callable[[], float]], rounds: int
) -> dict[str, list[float]]:
    """Let the contestants take turns; a first round, not counted, warms up."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds + 1):
        for name, run in contestants.items():
            times[name].append(run())
    return {name: own[1:] for name, own in times.items()}
