"""Limits as an operator writes them: ``100/second;5000/minute``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from model.errors import ConfigurationError

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_LIMIT = re.compile(rf" *([0-9]{{1,9}}) */ *(?:([1-9][0-9]{{0,4}}) *)?({'|'.join(_SECONDS)})s? *")


@dataclass(frozen=True)
class Limit:
    """So many requests in a window of so many units of time."""

    amount: int
    multiples: int
    unit: str

    def __str__(self) -> str:
        multiples = f"{self.multiples} " if self.multiples > 1 else ""
        return f"{self.amount}/{multiples}{self.unit}"

    @property
    def window_s(self) -> int:
        """How long the window is, in seconds."""
        return self.multiples * _SECONDS[self.unit]


def parse_limits(text: str) -> list[Limit]:
    """Read limits, shortest window first."""
    found = [_LIMIT.fullmatch(part) for part in text.split(";")]
    limits = [Limit(int(m[1]), int(m[2] or 1), m[3]) for m in found if m is not None]
    if len(limits) < len(found) or any(limit.amount < 1 for limit in limits):
        example = "FRAUDSCORE_RATE_LIMIT must be like 100/second;5000/minute"
        raise ConfigurationError(f"{example}, not {text!r}")
    return sorted(limits, key=lambda limit: limit.window_s)
