"""Whether numbers that were read, or worked out, can be what they are said to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isfinite
from numbers import Real
from typing import Any


def is_finite(value: Any) -> bool:
    """Return whether a value is a finite number; a boolean is none."""
    return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)


def are_finite(values: Iterable[Any]) -> bool:
    """Return whether all values are finite numbers."""
    return all(map(is_finite, values))


def is_range(values: Any) -> bool:
    """Return whether a value is a pair of finite numbers, the lower one first."""
    is_pair = isinstance(values, tuple) and len(values) == 2
    return is_pair and are_finite(values) and is_rising(values)


def is_ascending(values: Sequence[float]) -> bool:
    """Return whether each number is larger than the one before."""
    return all(lower < upper for lower, upper in pairwise(values))


def is_rising(values: Sequence[float]) -> bool:
    """Return whether no number is smaller than the one before."""
    return all(lower <= upper for lower, upper in pairwise(values))
