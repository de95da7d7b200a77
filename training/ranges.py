"""Refusing settings that cannot work, by name."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any

from model.errors import ConfigurationError
from model.strict_json import LARGEST_INTEGER

BELOW_ONE = 1 - 1e-9


def refuse_outside(part: Any, **ranges: tuple[float, float]) -> None:
    """Raise unless each value that is given is finite and in its range, both ends included.

    Parameters
    ----------
    part : object
        Whose attributes are meant; of a tuple every number.
    **ranges : tuple of float
        Name of the attribute → lowest and highest value.

    Raises
    ------
    ConfigurationError
        Naming the attribute.
    """
    for name, (low, high) in ranges.items():
        value = getattr(part, name)
        for number in value if isinstance(value, tuple) else (value,):
            most = min(high, LARGEST_INTEGER - 1) if isinstance(number, int) else high
            if number is not None and not (low <= number <= most and isfinite(number)):
                highest = f" and {most:,.8g}" if high < inf or number > most else ""
                expected = f"between {low:g}{highest}" if highest else f"at least {low:g}"
                raise ConfigurationError(f"{name} must be {expected}, got {number}")


def is_range(bounds: Any) -> bool:
    """Return whether declared bounds are a minimum, a maximum or both, in this order."""
    if not isinstance(bounds, Mapping) or not set(bounds) <= {"minimum", "maximum"}:
        return False
    if not all(type(bound) in (int, float) and isfinite(bound) for bound in bounds.values()):
        return False
    return bool(bounds.get("minimum", -inf) <= bounds.get("maximum", inf))
