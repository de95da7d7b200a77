"""A share of rows, with the interval in which it is known."""

from __future__ import annotations

from typing import Any

from scipy.stats import binomtest

LEVEL = 0.95


def share(n: int, of: int) -> dict[str, Any]:
    """Return a share with Wilson's score interval (1927), as a report shows it; None of no rows."""
    if not of:
        return {"value": None, "low": None, "high": None}
    interval = binomtest(n, of).proportion_ci(LEVEL, method="wilson")
    return {"value": n / of, "low": float(interval.low), "high": float(interval.high)}
