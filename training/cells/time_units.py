"""Numbers that are times → seconds.

What is unmistakable, for a column of which all present numbers are meant:

- whole numbers that are all days of the calendar from 1900 to 2100, written ``YYYYMMDD``, or
  moments, written ``YYYYMMDDHHMMSS``;
- numbers that are all between 1990 and 2100 when read as seconds since 1970, or as milliseconds,
  microseconds or nanoseconds: the ranges do not touch;
- names that say the unit at their end: ``age_ms``, ``elapsed_seconds``, ``hour``, ``n_days``
  (hours only where all are whole);
- names of public tables: ``step`` of PaySim, whole hours; ``Time`` of the card table and
  ``TransactionDT`` of IEEE-CIS, seconds from some start;
- Excel's day numbers between 1990 and 2050 in a column whose name says ``date``.

Anything else has to be asked for: ``--time-unit``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.cells.refusal import Refused
from training.cells.tally import Example

Array = NDArray[np.float64]

DAY = 86_400.0
MONTH = 365.2425 / 12 * DAY  # on average
FIRST, LAST = 631_152_000.0, 4_102_444_800.0  # 1990 and 2100, in seconds since 1970
NO_DAYS = (0.0, 99_991_231.0, 99_999_999.0)  # written for "never" among days written YYYYMMDD
EXCEL_EPOCH = 25_569  # Excel's number of the first day of 1970
EXCEL_RANGE = (32_874.0, 54_789.0)  # 1990 and 2050


@dataclass(frozen=True)
class TimeUnit:
    """How a column of numbers tells the time.

    Attributes
    ----------
    name : str
        As ``--time-unit`` takes it.
    words : str
        What its numbers are.
    to_seconds : callable
        Numbers → seconds; NaN where a number is no such time.
    is_since_1970 : bool
        Whether the seconds are counted from 1970 UTC; else from a start that is unknown.
    """

    name: str
    words: str
    to_seconds: Callable[[Array], Array]
    is_since_1970: bool

    @property
    def note(self) -> str:
        """How the column was read, as a sentence."""
        return f"its numbers are read as {self.words}"


def _times(factor: float) -> Callable[[Array], Array]:
    return lambda numbers: numbers * factor


def _parts_of(divisor: float) -> Callable[[Array], Array]:
    return lambda numbers: numbers / divisor


def calendar_days(numbers: Array) -> Array:
    """Return numbers written YYYYMMDD as seconds since 1970; NaN where there is no such day."""
    is_day = (numbers >= 19_000_101) & (numbers <= 21_001_231) & _are_whole(numbers)
    whole = np.where(is_day, numbers, 19_700_101).astype(np.int64)
    year, month, day = whole // 10_000, whole // 100 % 100, whole % 100
    is_day &= (month >= 1) & (month <= 12)
    first = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    days = first.astype("datetime64[D]") + (day - 1)
    is_day &= (day >= 1) & (days < (first + 1).astype("datetime64[D]"))
    return np.where(is_day, days.astype(np.int64) * DAY, np.nan)


def calendar_moments(numbers: Array) -> Array:
    """Return numbers written YYYYMMDDHHMMSS as seconds since 1970; NaN where there are none."""
    days = calendar_days(np.floor(numbers / 10**6))
    is_whole = ~np.isnan(days) & _are_whole(numbers)
    clock = np.where(is_whole, numbers, 999_999) % 10**6
    hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
    seconds = days + (hour * 60 + minute) * 60 + second
    return np.where((hour < 24) & (minute < 60) & (second < 60), seconds, np.nan)


def _are_whole(numbers: Array) -> NDArray[np.bool_]:
    return numbers == np.floor(numbers)


SINCE_1970: Mapping[str, TimeUnit] = {
    "s": TimeUnit("s", "seconds since 1970", _times(1.0), True),
    "ms": TimeUnit("ms", "milliseconds since 1970", _parts_of(1e3), True),
    "us": TimeUnit("us", "microseconds since 1970", _parts_of(1e6), True),
    "ns": TimeUnit("ns", "nanoseconds since 1970", _parts_of(1e9), True),
    "yyyymmdd": TimeUnit("yyyymmdd", "days written YYYYMMDD", calendar_days, True),
    "yyyymmddhhmmss": TimeUnit(
        "yyyymmddhhmmss", "moments written YYYYMMDDHHMMSS", calendar_moments, True
    ),
    "excel": TimeUnit(
        "excel", "Excel's numbers of days", lambda days: (days - EXCEL_EPOCH) * DAY, True
    ),
}
SINCE_A_START: Mapping[str, TimeUnit] = {
    "s": TimeUnit("s", "seconds from a start that is not told", _times(1.0), False),
    "ms": TimeUnit("ms", "milliseconds from a start that is not told", _parts_of(1e3), False),
    "us": TimeUnit("us", "microseconds from a start that is not told", _parts_of(1e6), False),
    "ns": TimeUnit("ns", "nanoseconds from a start that is not told", _parts_of(1e9), False),
    "minute": TimeUnit("minute", "minutes from a start that is not told", _times(60.0), False),
    "hour": TimeUnit("hour", "hours from a start that is not told", _times(3600.0), False),
    "day": TimeUnit("day", "days from a start that is not told", _times(DAY), False),
    "month": TimeUnit("month", "months from a start that is not told", _times(MONTH), False),
}
TIME_UNITS = tuple(dict.fromkeys((*SINCE_A_START, *SINCE_1970)))

_SUFFIXES = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "ms": ("ms", "millis", "millisecond", "milliseconds"),
    "us": ("us", "micros", "microsecond", "microseconds"),
    "ns": ("ns", "nanos", "nanosecond", "nanoseconds"),
    "minute": ("min", "mins", "minute", "minutes"),
    "hour": ("hour", "hours", "hr", "hrs"),
    "day": ("day", "days"),
    "month": ("month", "months"),
}
_UNIT_OF_WORD = {word: unit for unit, words in _SUFFIXES.items() for word in words}
_TABLES = {"step": "hour", "time": "s", "transactiondt": "s"}


class NumberScan:
    """What must be known of a column of numbers to tell which times they are; chunks add up.

    Attributes
    ----------
    low, high : float
        The smallest and largest number; infinite before any is added.
    is_whole, are_days, are_moments : bool
        Whether all numbers are whole, days written YYYYMMDD, moments written YYYYMMDDHHMMSS.
    has_days : bool
        Whether a number is a day written YYYYMMDD; others may be those of ``NO_DAYS``.
    examples : list of Example
        The first numbers.
    """

    def __init__(self) -> None:
        self.low, self.high = np.inf, -np.inf
        self.is_whole = self.are_days = self.are_moments = True
        self.has_days = False
        self.examples: list[Example] = []

    def add(self, numbers: Array, first_row: int) -> None:
        """Look at the next chunk; NaN is missing."""
        places = np.flatnonzero(~np.isnan(numbers))
        present = numbers[places]
        if not len(present):
            return
        self.low = min(self.low, float(present.min()))
        self.high = max(self.high, float(present.max()))
        self.is_whole &= bool(_are_whole(present).all())
        is_day = ~np.isnan(calendar_days(present))
        self.has_days = self.has_days or bool(is_day.any())
        self.are_days = self.are_days and bool((is_day | np.isin(present, NO_DAYS)).all())
        self.are_moments = self.are_moments and not np.isnan(calendar_moments(present)).any()
        for place in places[: 3 - len(self.examples)].tolist():
            self.examples.append(Example(first_row + place, f"{numbers[place]:.15g}"))


def time_unit_of(scan: NumberScan, name: str, unit: str | None = None) -> TimeUnit | Refused:
    """Return how a column of numbers tells the time, or why that has to be asked.

    Parameters
    ----------
    scan : NumberScan
        Of the whole column, with a number at least.
    name : str
        Of the column.
    unit : str, optional
        One of :data:`TIME_UNITS`: what it is said to be.
    """
    if unit is not None:
        return _as_said(scan, unit)
    if scan.are_days and scan.has_days:
        return SINCE_1970["yyyymmdd"]
    if scan.are_moments:
        return SINCE_1970["yyyymmddhhmmss"]
    since_1970 = _unit_since_1970(scan)
    if since_1970 is not None:
        return since_1970
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    is_excel = EXCEL_RANGE[0] <= scan.low and scan.high < EXCEL_RANGE[1]
    if is_excel and {"date", "datum", "fecha"} & set(words):
        return SINCE_1970["excel"]
    known = _TABLES.get(name.casefold()) or _UNIT_OF_WORD.get(words[-1] if words else "")
    if known is not None and (known != "hour" or scan.is_whole):
        return SINCE_A_START[known]
    return Refused(
        f"numbers from {scan.low:.15g} to {scan.high:.15g} do not say which times they are",
        tuple(scan.examples),
        f"say it with --time-unit {'|'.join(TIME_UNITS)}",
    )


def _unit_since_1970(scan: NumberScan) -> TimeUnit | None:
    """Return the unit by which all numbers are moments of our time."""
    for key, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        if FIRST * factor <= scan.low and scan.high < LAST * factor:
            return SINCE_1970[key]
    return None


def _as_said(scan: NumberScan, unit: str) -> TimeUnit | Refused:
    since_1970 = _unit_since_1970(scan)
    if since_1970 is not None and unit in ("s", "ms", "us", "ns"):
        if since_1970.name == unit:
            return since_1970
        return Refused(
            f"numbers from {scan.low:.15g} to {scan.high:.15g} are {since_1970.words}",
            tuple(scan.examples),
            f"say --time-unit {since_1970.name}, or nothing",
        )
    if unit in SINCE_A_START:
        return SINCE_A_START[unit]
    chosen = SINCE_1970[unit]
    fits = {"yyyymmdd": scan.are_days and scan.has_days, "yyyymmddhhmmss": scan.are_moments}.get(
        unit, True
    )
    if fits:
        return chosen
    return Refused(
        f"numbers from {scan.low:.15g} to {scan.high:.15g} are not all {chosen.words}",
        tuple(scan.examples),
        "name another --time-unit, or correct the cells",
    )
