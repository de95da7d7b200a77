"""Durations as people write them, ``7d``, ``12h``, ``30m``, ``45s``, and as they read them."""

from __future__ import annotations

from math import ceil
from re import fullmatch

from model.errors import ConfigurationError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds_of(text: str) -> float:
    """Return a duration in seconds.

    Raises
    ------
    ConfigurationError
        If the text is no duration.

    Examples
    --------
    >>> seconds_of("7d")
    604800.0
    """
    match = fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", text.strip().lower())
    if match is None:
        raise ConfigurationError(f"expected a duration such as 7d, 12h, 30m or 45s, got {text!r}")
    return float(match[1]) * SECONDS[match[2]]


def about(seconds: float) -> str:
    """Return a duration that is not known exactly, in words.

    Examples
    --------
    >>> about(44), about(89), about(150), about(3_599), about(7_300), about(200_000)
    ('44 s', '89 s', '3 min', '60 min', '2 h 2 min', '55 h 34 min')
    """
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    minutes = max(2, ceil(seconds / 60))
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
