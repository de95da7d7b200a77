"""Learning-rate schedules: progress through the run → factor on the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

STEP_EVERY = 1 / 3  # of the run
STEP_FACTOR = 0.1
EXPONENTIAL_END = 0.01  # factor at the end of the run


def constant(_progress: float) -> float:
    """Return 1."""
    return 1.0


def step(progress: float) -> float:
    """Return 1, 0.1 and 0.01 in the three thirds of the run."""
    return float(STEP_FACTOR ** int(progress / STEP_EVERY))


def exponential(progress: float) -> float:
    """Fall by a constant factor from 1 to 0.01."""
    return float(EXPONENTIAL_END**progress)


def cosine(progress: float) -> float:
    """Fall from 1 to 0 along half a cosine (Loshchilov & Hutter, 2017, eq. 5, without restarts)."""
    return 0.5 * (1 + cos(pi * progress))


SCHEDULES: dict[str, Callable[[float], float]] = {
    function.__name__: function for function in (constant, step, exponential, cosine)
}


def learning_rate_factor(name: str, progress: float, warmup: float) -> float:
    """Return the factor at some progress in [0, 1): a linear rise first, then the schedule."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    return SCHEDULES[name](progress)
