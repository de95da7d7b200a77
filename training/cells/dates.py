"""Texts that are dates or date-times, by one form a column.

1. :func:`layout_of` says of a mask (see :mod:`training.cells.masks`) where year, month, day, clock
   and zone stand; names of months and zones are part of the mask.
2. :func:`choose_form` finds the one :class:`DateForm` that reads the most cells, or says why there
   is none: forms that differ, days and months that cannot be told apart, zones that mean several.
3. :meth:`DateForm.read` reads the cells as seconds since 1970 UTC.

A form is the order of year, month and day and the mark between them. Within it the clock may be
left out (Excel does at midnight), have minutes, seconds, or fractions (to the microsecond), and the
zone may differ from cell to cell (summer time); a cell without a zone is UTC. What is not one form:
``13:45`` and ``1:45 PM``.

Missing are dates that stand for none: a year, month or day of zero (``0000-00-00``, Excel's
``1900-01-00``), the first day of year 1, the last of 2099, and any of year 2200 or later
(``9999-12-31``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.cells.masks import MaskedColumn
from training.cells.refusal import Refused
from training.cells.tally import Tally, first_examples
from training.cells.zones import AMBIGUOUS, fixed_offset, is_region, local_to_utc

Order = Literal["year first", "day first", "month first", "numbers"]

MICROSECONDS = 10**6
NEVER = 2200  # a date of this year or later stands for none

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_NAME = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)(?:s|nes|rs|ur)?(?:day)?\.?,?[ ]+)?"
_SPACE = "[ \u00a0\u202f]"
_CLOCK = (
    r"(?P<hour>00?)(?P<colon>[:.])(?P<minute>00)"
    r"(?:(?P=colon)(?P<second>00)(?:[.,](?P<fraction>0{1,9}))?)?"
    rf"(?:{_SPACE}?(?P<half>[ap]\.?m\.?(?![a-z])))?"
)
_ZONE = (
    rf"(?:{_SPACE}?(?:"
    r"(?P<zone>[a-z]{1,5})(?![a-z/])(?=$|[-+−\[( ])|(?P<region>[a-z_]+(?:/[a-z_-]+)+)|(?=[-+−]))"
    rf"(?:(?P<sign>[-+−])(?P<ahead>00?)(?::?(?P<ahead_minutes>00))?(?:{_SPACE}[a-z]{{2,5}}(?=$))?)?"
    rf"(?:{_SPACE}?\[[^\]]*\])?(?:{_SPACE}?\([^)]*\))?)?"
)
_TIME = rf"(?:(?:T|,?{_SPACE}+|:|,?{_SPACE}at{_SPACE}){_CLOCK}{_ZONE})?"
_DAY = r"(?P<day>00?)(?:st|nd|rd|th)?"

_PATTERNS: dict[Order, list[re.Pattern[str]]] = {
    order: [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    for order, patterns in {
        "year first": [
            rf"(?P<year>0000)(?P<mark>[-/.])(?P<month>00?)(?P=mark)(?P<day>00?){_TIME}",
            r"(?P<year>0000)(?P<mark>-)(?P<month>00)",
            rf"(?P<year>0000)(?P<month>00)(?P<day>00)[T ](?P<hour>00)(?P<minute>00)"
            rf"(?P<second>00)?(?:[.,](?P<fraction>0{{1,9}}))?{_ZONE}",
        ],
        "numbers": [
            rf"(?P<one>00?)(?P<mark>[-/.])(?P<two>00?)(?P=mark)(?P<year>0000|00){_TIME}",
        ],
        "day first": [
            rf"{_WEEKDAY}{_DAY}\.?(?P<mark>[-/ ]?){_NAME},?(?P=mark)(?P<year>0000|00){_TIME}",
        ],
        "month first": [
            rf"{_WEEKDAY}{_NAME}[ ]+{_DAY},?[ ]+(?P<year>0000){_TIME}",
            rf"{_WEEKDAY}{_NAME}[ ]+{_DAY}[ ]+{_CLOCK}{_ZONE}[ ]+(?P<year>0000)",
        ],
    }.items()
}


@dataclass(frozen=True)
class DateShape:
    """What must be known of a cell to tell which forms read it.

    Attributes
    ----------
    order : {"year first", "day first", "month first", "numbers"}
        "numbers": day and month are both numbers and stand before the year.
    mark : str
        What stands between them.
    has_half_days : bool or None
        Whether the clock has AM and PM; None without a clock.
    has_short_year : bool
    zone : str or None
        The name of a zone that is unknown or means several.
    reads_day_first, reads_month_first : bool
        Of "numbers": whether there is such a moment.
    is_never : bool
        Whether it stands for no date.
    """

    order: Order
    mark: str
    has_half_days: bool | None = None
    has_short_year: bool = False
    zone: str | None = None
    reads_day_first: bool = True
    reads_month_first: bool = True
    is_never: bool = False


@dataclass(frozen=True)
class Moments:
    """Seconds since 1970 UTC, NaN where there is no such moment, and which stand for none."""

    seconds: NDArray[np.float64]
    are_never: NDArray[np.bool_]


@dataclass(frozen=True)
class DateLayout:
    """Where the parts of a date-time stand in the cells of a mask.

    Attributes
    ----------
    shape : DateShape
        Of cells that stand for a moment.
    columns : mapping of str to slice
        The bytes of its numbers, by the names in the patterns.
    month : int or None
        The month, where it is a name.
    is_afternoon : bool or None
        Of clocks with AM and PM.
    ahead : int
        Seconds that the zone is ahead of UTC, but for what its digits say.
    sign : int
        Of the offset that digits say.
    region : str or None
        A zone such as Europe/Berlin, unless digits say the offset.
    """

    shape: DateShape
    columns: Mapping[str, slice]
    month: int | None
    is_afternoon: bool | None
    ahead: int
    sign: int
    region: str | None

    def shapes(self, cells: NDArray[np.uint8]) -> Iterator[tuple[DateShape, NDArray[np.bool_]]]:
        """Yield the shapes that cells of the mask have, and which have it; not all have one."""
        if self.shape.order != "numbers":
            moments = self.moments(cells)
            yield self.shape, ~np.isnan(moments.seconds)
            yield replace(self.shape, is_never=True), moments.are_never
            return
        both = [self.moments(cells, is_day_first=first) for first in (True, False)]
        are_never = both[0].are_never | both[1].are_never
        yield replace(self.shape, is_never=True), are_never
        day, month = (~np.isnan(moments.seconds) & ~are_never for moments in both)
        yield self.shape, day & month
        yield replace(self.shape, reads_month_first=False), day & ~month
        yield replace(self.shape, reads_day_first=False), month & ~day

    def moments(self, cells: NDArray[np.uint8], *, is_day_first: bool = True) -> Moments:
        """Read cells of the mask."""

        def number(name: str, default: int = 0) -> NDArray[np.int64]:
            if name not in self.columns:
                return np.full(len(cells), default)
            digits = cells[:, self.columns[name]].astype(np.int64) - ord("0")
            return digits @ 10 ** np.arange(digits.shape[1] - 1, -1, -1)

        year, month, day = number("year"), number("month", self.month or 1), number("day", 1)
        if self.shape.order == "numbers":
            day, month = number("one"), number("two")
            if not is_day_first:
                day, month = month, day
        if self.shape.has_short_year:
            year += 2000
        are_never = (year == 0) | (month == 0) | (day == 0) | (year >= NEVER)
        are_never |= (day == 1) & (month == 1) & (year == 1)
        if not self.shape.has_short_year:  # 31/12/99 may well be of 1999
            are_never |= (day == 31) & (month == 12) & (year == 2099)
        are_never &= (month <= 12) & (day <= 31)
        first = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
        n_days = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(int)
        days = first.astype("datetime64[D]").astype(np.int64) + day - 1
        hour, minute, second = number("hour"), number("minute"), number("second")
        is_valid = (month >= 1) & (month <= 12) & (day >= 1) & (day <= n_days)
        is_valid &= (minute < 60) & (second < 60)
        if self.is_afternoon is None:
            is_valid &= hour < 24
        else:
            is_valid &= (hour >= 1) & (hour <= 12)
            hour = hour % 12 + 12 * self.is_afternoon
        ahead_hours, ahead_minutes = number("ahead"), number("ahead_minutes")
        is_valid &= (ahead_hours < 24) & (ahead_minutes < 60)
        seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
        is_valid &= ~are_never
        if self.region is not None:
            seconds[is_valid] = local_to_utc(seconds[is_valid], self.region)
        seconds -= self.ahead + self.sign * (ahead_hours * 60 + ahead_minutes) * 60
        microseconds = seconds * MICROSECONDS + self._microseconds(number("fraction"))
        found = np.where(is_valid, microseconds / MICROSECONDS, np.nan)
        return Moments(found, are_never)

    def _microseconds(self, fraction: NDArray[np.int64]) -> NDArray[np.int64]:
        if "fraction" not in self.columns:
            return fraction
        place = self.columns["fraction"]
        return fraction * MICROSECONDS // 10 ** (place.stop - place.start)


@lru_cache(maxsize=4096)
def layout_of(mask: str) -> DateLayout | None:
    """Return how the cells of a mask are date-times; None if they are not."""
    found = _match(mask)
    if found is None:
        return None
    order, match = found
    parts = match.groupdict()
    half, sign, zone = parts.get("half"), parts.get("sign"), parts.get("zone")
    region = parts.get("region")
    ahead = 0 if zone is None else fixed_offset(zone)
    if sign and zone and zone.upper() not in ("UTC", "GMT", "UT"):
        ahead = None
    if region is not None and not is_region(region):
        ahead, zone = None, region
    numbers = ("year", "month", "day", "one", "two", "hour", "minute", "second", "fraction")
    shape = DateShape(
        order,
        parts.get("mark") or "",
        has_half_days=None if parts.get("hour") is None else half is not None,
        has_short_year=len(parts["year"]) == 2,
        zone=zone if ahead is None else None,
    )
    name = parts.get("name")
    return DateLayout(
        shape,
        {
            key: slice(*(len(mask[:place].encode()) for place in match.span(key)))
            for key in (*numbers, "ahead", "ahead_minutes")
            if parts.get(key) is not None
        },
        month=None if name is None else _MONTHS.index(name[:3].lower()) + 1,
        is_afternoon=None if half is None else half[0].lower() == "p",
        ahead=ahead or 0,
        sign=0 if sign is None else 1 if sign == "+" else -1,
        region=None if sign or shape.zone else region,
    )


def _match(mask: str) -> tuple[Order, re.Match[str]] | None:
    if "0" not in mask:
        return None
    for order, patterns in _PATTERNS.items():
        for pattern in patterns:
            match = pattern.fullmatch(mask)
            if match is not None:
                return order, match
    return None


def strptime_of(mask: str, *, is_day_first: bool) -> str | None:
    """Return the format by which ``strptime`` reads the cells of a mask; None if they are no dates.

    >>> strptime_of("00/00/0000 0:00 PM", is_day_first=True)
    '%d/%m/%Y %I:%M %p'
    """
    found = _match(mask)
    if found is None:
        return None
    match = found[1]
    day, month = ("one", "two") if is_day_first else ("two", "one")
    parts = match.groupdict()
    directives = {"year": "%Y" if len(parts["year"]) == 4 else "%y", "month": "%m", "day": "%d"}
    directives |= {day: "%d", month: "%m", "minute": "%M", "second": "%S", "fraction": "%f"}
    directives |= {"name": "%b" if len(parts.get("name") or "") == 3 else "%B", "half": "%p"}
    directives |= {"hour": "%H" if parts.get("half") is None else "%I"}
    places = sorted((match.span(key), directives[key]) for key in directives if parts.get(key))
    text, end = "", 0
    for (start, stop), directive in places:
        text += mask[end:start] + directive
        end = stop
    rest = mask[end:]
    return text + (re.sub(r"[^ ].*", "%z" if parts.get("sign") else "%Z", rest) if rest else "")


@dataclass(frozen=True)
class DateForm:
    """How the date-times of a column are written; see :class:`DateShape`.

    Attributes
    ----------
    order, mark, has_half_days
        As of its cells; ``has_half_days`` is None where no cell has a clock.
    is_day_first : bool
        Of "numbers".
    """

    order: Order
    mark: str
    has_half_days: bool | None = None
    is_day_first: bool = True

    def reads(self, shape: DateShape) -> bool:
        """Return whether cells of a shape are date-times, or stand for none, by this form."""
        return (
            (shape.order, shape.mark) == (self.order, self.mark)
            and shape.has_half_days in (None, self.has_half_days)
            and not shape.has_short_year
            and shape.zone is None
            and (shape.reads_day_first if self.is_day_first else shape.reads_month_first)
        )

    def read(self, column: MaskedColumn) -> Moments:
        """Return the moments of a column; NaN also for cells that are none by this form."""
        n = len(column.codes)
        seconds, are_never = np.full(n, np.nan), np.zeros(n, np.bool_)
        for code, mask in column.with_digits:
            layout = layout_of(mask)
            if layout is not None and self.reads(layout.shape):
                positions = column.positions(code)
                found = layout.moments(column.cells(positions), is_day_first=self.is_day_first)
                never = found.are_never
                if layout.shape.order == "numbers":  # 31/12/9999 is none, by either order
                    turned = layout.moments(
                        column.cells(positions), is_day_first=not self.is_day_first
                    )
                    never = never | turned.are_never
                are_never[positions] = never
                seconds[positions] = np.where(never, np.nan, found.seconds)
        return Moments(seconds, are_never)

    @property
    def words(self) -> str:
        """The form as a person would say it."""
        clock = {None: "", False: " with a clock of 24 hours", True: " with a clock of AM and PM"}
        if self.order == "numbers":
            parts = ("day", "month") if self.is_day_first else ("month", "day")
            return self.mark.join((*parts, "year")) + clock[self.has_half_days]
        order = {
            "year first": self.mark.join(("year", "month", "day")) if self.mark else "yearmonthday",
            "day first": (self.mark or " ").join(("day", "month by name", "year")),
            "month first": "month by name, day, year",
        }
        return order[self.order] + clock[self.has_half_days]

    @property
    def expected(self) -> str:
        """What a cell that is refused should have been."""
        return f"a date as {self.words}"

    @property
    def is_iso(self) -> bool:
        """Whether it is the form of ISO 8601, about which nothing needs to be said."""
        return (self.order, self.mark) == ("year first", "-") and not self.has_half_days


def choose_form(tallies: Mapping[DateShape, Tally]) -> tuple[DateForm, int] | Refused:
    """Return the form that reads the most dates of a column, and how many with those of none.

    Returns
    -------
    (DateForm, int) or Refused
        The latter if the most cells are of a form that does not say which day they mean.
    """
    counts: dict[tuple[Order, str], int] = {}
    for shape, tally in tallies.items():
        key = (shape.order, shape.mark)
        counts[key] = counts.get(key, 0) + tally.count
    order, mark = max(counts, key=lambda key: counts[key])
    of_form = {s: t for s, t in tallies.items() if (s.order, s.mark) == (order, mark)}
    problem = _what_is_open(of_form)
    if problem is not None:
        return problem
    clocks = {
        has_half_days: sum(t.count for s, t in of_form.items() if s.has_half_days == has_half_days)
        for has_half_days in (False, True)
    }
    has_half_days = clocks[True] > clocks[False] if any(clocks.values()) else None
    real = [shape for shape in of_form if not shape.is_never]
    is_day_first = all(shape.reads_day_first for shape in real)
    form = DateForm(order, mark, has_half_days, is_day_first)
    return form, sum(tally.count for shape, tally in tallies.items() if form.reads(shape))


def _what_is_open(tallies: Mapping[DateShape, Tally]) -> Refused | None:
    """Return what cells of one order and mark do not say or contradict each other in."""
    zones = {shape.zone: tally for shape, tally in tallies.items() if shape.zone is not None}
    if zones:
        name, tally = min(zones.items(), key=lambda item: item[1].examples[0])
        means = "means several offsets" if name.upper() in AMBIGUOUS else "is unknown"
        return Refused(
            f"the time zone {name!r} {means}",
            tuple(tally.examples),
            "write the offset instead, as in 2024-01-31 13:45:00-06:00",
        )
    short = [tally for shape, tally in tallies.items() if shape.has_short_year]
    by_day = [t for s, t in tallies.items() if not s.reads_month_first]
    by_month = [t for s, t in tallies.items() if not s.reads_day_first]
    if short:
        examples = first_examples(short)
        return Refused(
            "years of two digits do not say the century", examples, _formats_for(tallies)
        )
    if by_day and by_month:
        return Refused(
            "in some cells the day comes first, in others the month",
            tuple(sorted(first_examples(by_day)[:1] + first_examples(by_month)[:1])),
            "write the dates of the column in one form, as 2024-01-31",
        )
    are_numbers = any(shape.order == "numbers" for shape in tallies)
    real = [tally for shape, tally in tallies.items() if not shape.is_never]
    if are_numbers and real and not by_day and not by_month:
        return Refused(
            "no cell says which number is the day and which the month",
            first_examples(real),
            _formats_for(tallies),
        )
    return None


def _formats_for(tallies: Mapping[DateShape, Tally]) -> str:
    """Return the options that would read the first cell of a column, by what all cells allow."""
    first, *others = first_examples(tallies.values())
    mask = re.sub("[0-9]", "0", first.value)
    formats = [
        strptime_of(mask, is_day_first=is_day_first)
        for is_day_first in (True, False)
        if all(s.reads_day_first if is_day_first else s.reads_month_first for s in tallies)
    ]
    found = [text for text in dict.fromkeys(formats) if text]
    if found and found[0].startswith(("%d-%m-%y", "%m-%d-%y")):  # or 24-01-31, as ISO without 20
        years_first = "%y-%m-%d" + found[0][len("%d-%m-%y") :]
        if all(_reads(years_first, example.value) for example in (first, *others)):
            found.append(years_first)
    options = [f'--time-format "{text}"' for text in found]
    return f"say which with {' or '.join(options)}" if options else "say which with --time-format"


def _reads(form: str, cell: str) -> bool:
    try:
        return bool(datetime.strptime(cell, form))
    except ValueError:
        return False
