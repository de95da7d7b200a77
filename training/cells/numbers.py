"""Texts that are numbers or nearly: ``$1,234.50``, ``1.234,50 €``, ``(12.00)``, ``12-``, ``3 %``.

Three steps, each over the whole column:

1. :func:`layout_of` says of a mask (see :mod:`training.cells.masks`) where the digits of a number
   stand and what its marks must or may be: a comma in ``1,23`` is a decimal comma, one in
   ``1,234,567`` separates thousands, one in ``1,234`` may be either.
2. :func:`choose_rule` finds the one :class:`NumberRule` that reads the most cells, or says why
   there is none: cells that contradict each other, or cells that two rules read differently.
3. :meth:`NumberRule.read` reads the cells.

What is read: digits with at most one decimal mark (``.`` or ``,``), thousands separated by ``,``
``.`` ``'`` or any kind of space (in threes, or in the Indian way: ``12,34,567``), a dash for no
cents (``12,-``), an exponent of at most three digits, one sign in front (``+``, ``-``, ``−``), one
minus behind, or brackets around (accounting's minus), one currency before or behind, one unit or
``%`` behind. Per cent are read as they stand: ``12.5 %`` is 12.5. A unit must be the same in all
cells; a currency may be left out in some. What is refused: ``0x1f``, ``1_000``, ``inf``, units that
differ (``12 kg`` and ``3 lb``).

Whole numbers with leading zeros (``007``) are codes; so are long ones with a plus (telephones).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from training.cells.masks import MaskedColumn
from training.cells.refusal import Refused
from training.cells.tally import Tally, first_examples
from training.cells.units import UnitKind, is_currency, kind_of_unit

DECIMALS = (".", ",")
THOUSANDS = (",", ".", " ", "'")
MARK_NAMES = {".": "point", ",": "comma", " ": "space", "'": "apostrophe"}
SPACES = " \u00a0\u2007\u2009\u202f"
APOSTROPHES = "'\u2019"
LONGEST_WITH_PLUS = 6  # digits; a longer whole number with a plus is a telephone's

_NUMBER = re.compile(
    rf"""
    (?P<bracket>\()? (?P<sign>[-+−])? [{SPACES}]?
    (?P<before>(?:[^\W\d_]{{1,4}}[^\w\s()+−.,'’-]?|[^\w\s()+−.,'’-])[A-Z]{{0,3}}\.?)? [{SPACES}]?
    (?P<late_bracket>\()? (?P<late_sign>[-+−])?
    (?P<body>[.,]?0(?:[0.,{APOSTROPHES}{SPACES}]*0)?[.,]?)
    (?P<no_cents>(?<=[.,])[-–—]{{1,2}})?
    (?P<exponent>[eE][-+]?0{{1,3}})?
    (?P<close>\))? (?P<minus>-)?
    (?P<gap>[{SPACES}])? (?P<after>[^\s\d()+−-][^\d()+−-]*)? (?P<late_close>\))?
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class NumberShape:
    """What must be known of a cell to tell which rules read it.

    Attributes
    ----------
    decimal, thousands : str or None
        What its marks must be.
    either : str or None
        Its only mark, if it may be the one as well as the other.
    unit : str or None
        The currency or unit beside it.
    unit_kind : {"currency", "unit", "word"} or None
    minus : str or None
        How a minus is written that is not in front: "brackets" or "behind".
    is_whole : bool
        Digits only, but for a sign.
    starts_with_zero : bool
        A whole number such as ``007``.
    """

    decimal: str | None = None
    thousands: str | None = None
    either: str | None = None
    unit: str | None = None
    unit_kind: UnitKind | None = None
    minus: str | None = None
    is_whole: bool = False
    starts_with_zero: bool = False


@dataclass(frozen=True)
class NumberLayout:
    """Where the parts of a number stand in the cells of a mask.

    Attributes
    ----------
    shape : NumberShape
        Of cells that do not start with a zero.
    is_negative : bool
    columns : tuple of int
        The bytes that make up the number: digits, marks that may be decimal, exponent.
    mark : int or None
        Which of the columns is the mark.
    first : int or None
        The byte of the first digit, where a zero there says something.
    """

    shape: NumberShape
    is_negative: bool
    columns: tuple[int, ...]
    mark: int | None
    first: int | None

    def shapes(self, cells: NDArray[np.uint8]) -> Iterator[tuple[NumberShape, NDArray[np.bool_]]]:
        """Yield the shapes that cells of the mask have, and which have it."""
        if self.first is None:
            yield self.shape, np.ones(len(cells), np.bool_)
            return
        is_zero = cells[:, self.first] == ord("0")
        yield self.shape, ~is_zero
        if self.shape.either:  # "0,123": no thousand starts with a zero
            yield replace(self.shape, either=None, decimal=self.shape.either), is_zero
        else:
            yield replace(self.shape, starts_with_zero=True), is_zero

    def values(self, cells: NDArray[np.uint8], *, has_decimals: bool) -> NDArray[np.float64]:
        """Return the numbers, with the mark as decimal mark or as separator of thousands."""
        columns = list(self.columns)
        if self.mark is not None and not has_decimals:
            del columns[self.mark]
        taken = cells[:, columns]
        if self.mark is not None and has_decimals:
            taken[:, self.mark] = ord(".")
        offsets = np.arange(len(cells) + 1, dtype=np.int64) * len(columns)
        texts = pyarrow.LargeStringArray.from_buffers(
            len(cells), pyarrow.py_buffer(offsets), pyarrow.py_buffer(np.ascontiguousarray(taken))
        )
        numbers = texts.cast(pyarrow.float64()).to_numpy(zero_copy_only=False)
        return -numbers if self.is_negative else numbers


@lru_cache(maxsize=4096)
def layout_of(mask: str) -> NumberLayout | None:
    """Return how the cells of a mask are numbers; None if they are not."""
    match = _NUMBER.fullmatch(mask) if "0" in mask else None
    if match is None:
        return None
    brackets = [bool(match[name]) for name in ("bracket", "late_bracket", "close", "late_close")]
    signs = [match[name] for name in ("sign", "late_sign", "minus") if match[name]]
    in_brackets = any(brackets)
    if len(signs) + in_brackets > 1:
        return None
    if in_brackets and (sum(brackets[:2]), sum(brackets[2:])) != (1, 1):
        return None
    unit = _unit_of(match["before"] or "", match["after"] or "", bool(match["gap"]))
    marks = _marks_of(match["body"], has_exponent=bool(match["exponent"]))
    if unit is None or marks is None:
        return None
    digits = match["body"].count("0")
    if "+" in signs and not marks.decimal and digits > LONGEST_WITH_PLUS:
        return None
    minus = "brackets" if in_brackets else "behind" if match["minus"] else None
    shape = replace(marks, unit=unit[0], unit_kind=unit[1], minus=minus)
    is_negative = in_brackets or bool(signs and signs[0] != "+")
    return _located(mask, match, shape, is_negative)


def _unit_of(before: str, after: str, has_gap: bool) -> tuple[str | None, UnitKind | None] | None:
    """Return the unit beside a number and its kind; None if what is there is no unit."""
    after = after.strip()
    if before and not is_currency(before):
        return None
    if not after:
        return (before, "currency") if before else (None, None)
    kind = kind_of_unit(after, stands_apart=has_gap)
    if before:
        return (f"{before} {after}", "currency") if kind == "currency" else None
    return None if kind is None else (after, kind)


def _marks_of(body: str, *, has_exponent: bool) -> NumberShape | None:
    """Return the shape of a number without what is around it; None if it is none.

    >>> _marks_of("0.000.000,00", has_exponent=False)  # doctest: +ELLIPSIS
    NumberShape(decimal=',', thousands='.', either=None, ...)
    """
    groups = [len(group) for group in re.split("[^0]", body)]
    marks = [_plain(mark) for mark in re.findall("[^0]", body)]
    if not marks:
        return NumberShape(is_whole=not has_exponent)
    *others, last = marks
    if not others:
        before, after = groups
        if before > 3 or before == 0 or after != 3 or has_exponent:
            return NumberShape(decimal=last) if last in DECIMALS else None
        return NumberShape(either=last) if last in DECIMALS else NumberShape(thousands=last)
    if len(set(others)) > 1:
        return None
    if last == others[0]:
        return NumberShape(thousands=last) if _are_thousands(groups) else None
    if last not in DECIMALS or not _are_thousands(groups[:-1]):
        return None
    return NumberShape(decimal=last, thousands=others[0])


def _plain(mark: str) -> str:
    return " " if mark in SPACES else "'" if mark in APOSTROPHES else mark


def _are_thousands(groups: list[int]) -> bool:
    """Return whether digits stand in threes, or but for the last three in twos, as in India."""
    first, *middle, last = groups
    in_threes = 1 <= first <= 3 and set(middle) <= {3}
    in_twos = 1 <= first <= 2 and set(middle) <= {2}
    return last == 3 and (in_threes or in_twos)


def _located(
    mask: str, match: re.Match[str], shape: NumberShape, is_negative: bool
) -> NumberLayout:
    """Return the layout with the places of digits and marks in bytes."""
    start, end = match.span("body")
    mark = shape.decimal or shape.either
    mark_place = mask.rindex(mark, start, end) if mark else None
    digits = [place for place in range(start, end) if mask[place] == "0"]
    places = sorted([*digits, mark_place] if mark_place is not None else digits)
    exponent = range(*match.span("exponent")) if match["exponent"] else ()
    width = [len(mask[:place].encode()) for place in range(len(mask) + 1)]
    is_plain = shape.is_whole and shape.unit is None
    says_zero = shape.either is not None or (is_plain and len(digits) > 1)
    return NumberLayout(
        shape,
        is_negative,
        tuple(width[place] for place in (*places, *exponent)),
        None if mark_place is None else places.index(mark_place),
        width[digits[0]] if says_zero else None,
    )


@dataclass(frozen=True)
class NumberRule:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal : {".", ","}
    thousands : {",", ".", " ", "'"} or None
    unit : str or None
        The currency or unit beside them.
    may_lack_unit : bool
        Whether a number without the unit is one of the column too: so with currencies.
    """

    decimal: str = "."
    thousands: str | None = None
    unit: str | None = None
    may_lack_unit: bool = False

    def reads(self, shape: NumberShape) -> bool:
        """Return whether cells of a shape are numbers by this rule."""
        return (
            shape.decimal in (None, self.decimal)
            and shape.thousands in (None, self.thousands)
            and shape.either in (None, self.decimal, self.thousands)
            and (shape.unit == self.unit or (self.may_lack_unit and shape.unit is None))
        )

    def read(self, column: MaskedColumn) -> NDArray[np.float64]:
        """Return the numbers of a column, NaN for cells that are none by this rule."""
        numbers = np.full(len(column.codes), np.nan)
        for code, mask in column.with_digits:
            layout = layout_of(mask)
            if layout is None:
                continue
            positions = column.positions(code)
            cells = column.cells(positions)
            for shape, have_it in layout.shapes(cells):
                if self.reads(shape):
                    has_decimals = (shape.decimal or shape.either) == self.decimal
                    found = layout.values(cells[have_it], has_decimals=has_decimals)
                    numbers[positions[have_it]] = found
        return numbers

    @property
    def how(self) -> str:
        """The marks and the unit, as part of a sentence."""
        parts = [f"decimal {MARK_NAMES[self.decimal]}"]
        if self.thousands:
            parts.append(f"thousands {MARK_NAMES[self.thousands]}")
        if self.unit:
            parts.append(repr(self.unit))
        return f" with {_listed(parts)}"

    @property
    def expected(self) -> str:
        """What a cell that is refused should have been."""
        return "a number" if self == NumberRule() else f"a number{self.how}"


def _listed(parts: list[str]) -> str:
    *some, last = parts
    return f"{', '.join(some)} and {last}" if some else last


def count_numbers(tallies: Mapping[NumberShape, Tally], n_present: int) -> int:
    """Return how many cells look like numbers, whatever one rule makes of them.

    Numbers with a word behind them that is no known unit count only where all of the present cells
    are such, with the same word.
    """
    known = sum(tally.count for shape, tally in tallies.items() if shape.unit_kind != "word")
    everything = sum(tally.count for tally in tallies.values())
    words = {shape.unit for shape in tallies}
    return everything if len(words) == 1 and everything == n_present else known


def choose_rule(
    tallies: Mapping[NumberShape, Tally], decimal: str | None = None, thousands: str | None = None
) -> tuple[NumberRule, int] | Refused:
    """Return the rule that reads the most numbers of a column, and how many.

    Parameters
    ----------
    tallies : mapping of NumberShape to Tally
    decimal, thousands : str, optional
        What they are said to be; else they are found out.

    Returns
    -------
    (NumberRule, int) or Refused
        The latter if two rules read as many, and read them differently.

    Raises
    ------
    ValueError
        If the marks that are said are none, or the same.
    """
    unit, may_lack_unit = _unit_of_most(tallies)
    rules = [
        NumberRule(mark, separator, unit, may_lack_unit)
        for mark, separator in product(DECIMALS, (None, *THOUSANDS))
        if mark != separator and decimal in (None, mark)
        if thousands in (None, separator)
    ]
    if not rules:
        said = f"decimal {decimal!r} and thousands {thousands!r}"
        raise ValueError(f"{said}: expected two of {', '.join(map(repr, THOUSANDS))}, . or , first")
    counts = [sum(t.count for s, t in tallies.items() if rule.reads(s)) for rule in rules]
    most = max(counts)
    best = [rule for rule, count in zip(rules, counts, strict=True) if count == most]
    read = {shape: tally for shape, tally in tallies.items() if best[0].reads(shape)}
    for mark in sorted({shape.either for shape in read if shape.either}):
        if len({rule.decimal == mark for rule in best}) > 1:
            ambiguous = [tally for shape, tally in read.items() if shape.either == mark]
            name = MARK_NAMES[mark]
            return Refused(
                f"the {name} may be a decimal {name} or separate thousands",
                first_examples(ambiguous),
                f"say which with --decimal {mark} or --thousands {mark}",
                open_mark=mark,
                is_plain=all((s.unit, s.minus, s.thousands) == (None, None, None) for s in read),
            )
    return best[0], most


def _unit_of_most(tallies: Mapping[NumberShape, Tally]) -> tuple[str | None, bool]:
    """Return the unit that the most numbers have, and whether the others may lack it.

    None only where a unit that numbers may not lack is that of fewer.
    """
    counts = Counter[tuple[str | None, bool]]()
    for shape, tally in tallies.items():
        counts[shape.unit, shape.unit_kind == "currency"] += tally.count
    currencies = [key for key in counts if key[1]]
    if not counts:
        return None, False
    most = max(counts, key=lambda key: counts[key])
    if most[0] is None and currencies:
        return max(currencies, key=lambda key: counts[key])
    return most


def decimals_shown(rule: NumberRule, tallies: Mapping[NumberShape, Tally]) -> set[str]:
    """Return the decimal mark of a rule, if some of the cells that it reads leave no other."""
    read = [shape for shape in tallies if rule.reads(shape)]
    is_shown = any(s.decimal or s.thousands in DECIMALS for s in read)
    return {rule.decimal} if is_shown else set()


def describe_rule(rule: NumberRule, tallies: Mapping[NumberShape, Tally]) -> str | None:
    """Return how the numbers of a column were read; None for plain ones with a decimal point."""
    read = [shape for shape in tallies if rule.reads(shape)]
    parts = []
    marks = {shape.decimal or shape.either for shape in read} & {rule.decimal}
    separators = {shape.thousands or shape.either for shape in read} & {rule.thousands}
    if marks and (rule.decimal == "," or separators - {None}):
        parts.append(f"decimal {MARK_NAMES[rule.decimal]}")
    if rule.thousands and separators:
        parts.append(f"thousands {MARK_NAMES[rule.thousands]}")
    if any(shape.minus == "brackets" for shape in read):
        parts.append("brackets for minus")
    if any(shape.minus == "behind" for shape in read):
        parts.append("minus behind the number")
    if rule.unit:
        if rule.may_lack_unit:
            bare = sum(t.count for s, t in tallies.items() if rule.reads(s) and s.unit is None)
            cells = "one cell" if bare == 1 else f"{bare:,} cells"
            parts.append(f"currency {rule.unit}" + (f" ({cells} without)" if bare else ""))
        elif rule.unit in ("%", "‰"):
            parts.append(f"{rule.unit} as it stands (12.5 {rule.unit} is 12.5)")
        else:
            parts.append(f"unit {rule.unit!r} left out")
    if not parts:
        return None
    return f"numbers are read with {_listed(parts)}"
