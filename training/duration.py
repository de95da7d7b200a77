"""Durations as people write them: ``7d``, ``12h``, ``30m``, ``45s``."""

from __future__ import annotations

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
