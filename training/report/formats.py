"""Numbers as readers want them: one way for tables, sentences and the model card."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from training.size import SPACE, as_bytes

NOT_DEFINED = "–"
MOST_DECIMALS = 6  # of a percentage; what is nearer to 0 % or 100 % than that is shown as such
LONGEST = 1e12  # written with all its digits
MINUS = "\u2212"


def count(value: float) -> str:
    """Return a count with thousands separated; parts of one only where they are not zero."""
    return f"{value:,.0f}" if float(value).is_integer() or value >= 100 else f"{value:,.1f}"


def percent(share: float) -> str:
    """Return a share in per cent, with the digits that matter near 0 % and near 100 %."""
    value = round(100 * share, MOST_DECIMALS)
    decimals = 1
    if value in (0, 100):
        decimals = 0
    elif 0 < value < 10:
        decimals = 2 - math.floor(math.log10(value))
    elif 99 < value < 100:
        decimals = 1 - math.floor(math.log10(round(100 - value, MOST_DECIMALS)))
    return f"{value:.{min(decimals, MOST_DECIMALS)}f}{SPACE}%"


def number(value: float) -> str:
    """Return a plain number with about four digits that matter."""
    if value == 0:
        return "0"
    size = abs(value)
    text = f"{size:.3g}" if size < 0.01 else f"{size:.4f}"
    if size >= 1000:
        text = f"{size:,.0f}"
    return f"{MINUS}{text}" if value < 0 else text


def signed(value: float) -> str:
    """Return a difference: a number with its sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def contribution(value: float) -> str:
    """Return what a feature adds to a logit."""
    return f"{value:+.2f}".replace("-", MINUS)


def quantity(value: float) -> str:
    """Return a value of a column: whole numbers as they are, others with four digits.

    Thousands are separated where there are ten of them: smaller numbers may be years.

    Examples
    --------
    >>> quantity(46.0), quantity(-165.6723), quantity(0.02345678), quantity(1_296_120.4)
    ('46', '−165.7', '0.02346', '1,296,120')
    >>> quantity(1996.0)
    '1996'
    """
    size = abs(value)
    text = f"{size:.4g}".replace("e+", "e")
    if (size >= 1000 or float(size).is_integer()) and size < LONGEST:
        text = f"{size:,.0f}" if round(size) >= 10_000 else f"{size:.0f}"
    return f"{MINUS}{text}" if value < 0 else text


def money(amount: float) -> str:
    """Return an amount; the unit is the reader's."""
    text = f"{abs(amount):,.2f}" if abs(amount) < 10_000 else f"{abs(amount):,.0f}"
    return f"{MINUS}{text}" if amount < 0 else text


def price(amount: float, unit: str | None) -> str:
    """Return an amount with its unit, if it has one."""
    return f"{money(amount)}{SPACE}{unit}" if unit else money(amount)


def ratio(value: float) -> str:
    """Return so many legitimate rows for each fraud."""
    return f"{value:,.0f}:1"


def duration(seconds: float) -> str:
    """Return a span of time in the unit that suits it."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f}{SPACE}{unit}"
    return f"{seconds:,.1f}{SPACE}seconds"


def moment(iso: str) -> str:
    """Return a moment to the minute."""
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def written(value: Any) -> str:
    """Return a value as JSON has it."""
    return json.dumps(value, ensure_ascii=False)


def of_any_kind(value: Any) -> str:
    """Return the value of a feature: numbers with the digits that matter, words as they are."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, int | float):
        return str(value)
    return quantity(value)


FORMATS: Mapping[str, Callable[[Any], str]] = {
    "count": count,
    "percent": percent,
    "number": number,
    "quantity": quantity,
    "signed": signed,
    "contribution": contribution,
    "money": money,
    "ratio": ratio,
    "bytes": as_bytes,
    "duration": duration,
    "moment": moment,
    "words": str,
    "code": str,
    "value": of_any_kind,
    "json": written,
}


def formatted(value: Any, form: str) -> str:
    """Return a figure in the named form; a dash where it is not defined."""
    if value is None and form != "json":
        return NOT_DEFINED
    return FORMATS[form](value)
