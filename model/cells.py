"""One JSON value or one table column → float64 cells, by the kind of the feature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from model.features import Feature

EMPTY = frozenset({""})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400.0  # seconds
# The years of a date-time, 1 to 9999, in whole seconds.
FIRST_MOMENT = (datetime.min.replace(tzinfo=UTC) - EPOCH).total_seconds()
LAST_MOMENT = (datetime.max.replace(tzinfo=UTC, microsecond=0) - EPOCH).total_seconds()
SECOND_OF_YEAR_1 = -62_135_510_400.0
LAST_OF_2099, YEAR_2200 = 4_102_358_400.0, 7_258_118_400.0

MISSING = "Missing data for required field."
NULL = "Field may not be null."
NEVER = "A date that stands for never counts as null. Field may not be null."
NOT_A_NUMBER = "Not a valid number."
NOT_FINITE = "Special numeric values (nan or infinity) are not permitted."
NOT_A_BOOLEAN = "Not a valid boolean."
NOT_A_STRING = "Not a valid string."
NOT_A_DATETIME = "Not a valid datetime: expected ISO 8601, as 2026-01-31T13:45:00."


def epoch_seconds(text: str) -> float:
    """Return an ISO 8601 date-time as seconds since 1970 UTC; without an offset it is UTC.

    Raises
    ------
    ValueError
        If the text is no such date-time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH).total_seconds()


def are_never(seconds: Any) -> Any:
    """Return whether moments stand for none: programs write ``9999-12-31`` for "never".

    Moments before the second day of year 1, those of the last day of 2099, and all from 2200 on.

    Parameters
    ----------
    seconds : float or ndarray
        Since 1970 UTC.
    """
    is_last = (seconds >= LAST_OF_2099) & (seconds < LAST_OF_2099 + DAY)
    return (seconds < SECOND_OF_YEAR_1) | is_last | (seconds >= YEAR_2200)


def cell_from_json(
    feature: Feature, value: Any, missing: frozenset[str] = EMPTY
) -> tuple[float, str | None]:
    """Return the cell of a JSON value and, if it cannot be one, the reason.

    Strings and booleans are no numbers, and numbers no booleans, whatever they look like. An empty
    string is what an empty cell of a table is, and so what null is: missing.

    Parameters
    ----------
    feature : Feature
    value : object
    missing : frozenset of str
        Strings that mean missing.
    """
    if value is None or (type(value) is str and value in missing):
        return math.nan, None if feature.nullable else NULL
    if feature.kind == "numeric":
        return _number(feature, value)
    if feature.kind == "boolean":
        return (float(value), None) if isinstance(value, bool) else (math.nan, NOT_A_BOOLEAN)
    if not isinstance(value, str):
        return math.nan, NOT_A_STRING if feature.kind == "categorical" else NOT_A_DATETIME
    if feature.kind == "categorical":
        return float(feature.codes[value]), None
    try:
        seconds = epoch_seconds(value)
    except (ValueError, OverflowError):
        return math.nan, NOT_A_DATETIME
    if are_never(seconds):
        return math.nan, None if feature.nullable else NEVER
    return seconds, None


def _number(feature: Feature, value: Any) -> tuple[float, str | None]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan, NOT_A_NUMBER
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = math.inf
    if not math.isfinite(number):
        return number, NOT_FINITE
    if feature.minimum is not None and number < feature.minimum:
        return number, f"Must be greater than or equal to {feature.minimum:.15g}."
    if feature.maximum is not None and number > feature.maximum:
        return number, f"Must be less than or equal to {feature.maximum:.15g}."
    return number, None


def cells_from_column(
    feature: Feature, column: Sequence[Any], missing: frozenset[str] = EMPTY
) -> NDArray[np.float64]:
    """Return the cells of a table column: floats with NaN, or strings with None for categories."""
    if feature.kind != "categorical":
        return np.asarray(column, dtype=np.float64)
    codes, none = feature.codes, missing.union((None,))
    cells = {text: math.nan if text in none else float(codes[text]) for text in set(column)}
    return np.array([cells[text] for text in column], np.float64)
