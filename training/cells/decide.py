"""By which one rule a column of texts is read, and its cells by this rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow
from numpy.typing import NDArray

from training.cells.booleans import read_booleans
from training.cells.dates import DateForm, choose_form
from training.cells.masks import MaskedColumn
from training.cells.missing import are_missing, note_on
from training.cells.numbers import (
    NumberRule,
    NumberShape,
    choose_rule,
    count_numbers,
    describe_rule,
)
from training.cells.plain import has_number, read_plain
from training.cells.refusal import Refused, refuse_unread
from training.cells.scan import TextScan
from training.cells.strptime import StrptimeForm
from training.cells.tally import Example, Tally, first_examples, shown

MOST_OF_THEM = 0.9  # of the present cells; then the others are junk rather than categories

Cells = NDArray[np.float64]
Wanted = Literal["number", "date"]
# what helps a column of which some cells are of another kind; a time may not be missing
CURES: Mapping[Wanted, str] = {
    "number": (
        "correct them, leave these rows out, or list them with --missing if they mean missing"
    ),
    "date": "correct them, or leave these rows out",
}


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    Attributes
    ----------
    rule : NumberRule
    note : str or None
        How it was read, where this is not plain.
    n_missing : int
        Cells that hold something that means missing.
    missing_words : tuple of str
    """

    rule: NumberRule
    note: str | None
    n_missing: int
    missing_words: tuple[str, ...]

    @cached_property
    def reads_plain(self) -> bool:
        """Whether numbers with a decimal point and nothing beside them are of the column."""
        return self.rule.reads(NumberShape(decimal=".")) and not has_number(self.missing_words)

    def apply(self, texts: pyarrow.Array, first_row: int) -> Cells:
        """Return the numbers of a chunk, NaN for missing.

        Raises
        ------
        CellError
            For the first cell that is no finite number by the rule.
        """
        plain = read_plain(texts) if self.reads_plain else None
        if plain is not None:
            return plain
        column, missing = _present(texts, self.missing_words)
        numbers = self.rule.read(column)
        unread = ~np.isfinite(numbers) & ~missing
        refuse_unread(texts, unread, first_row, f"{self.rule.expected} that is finite")
        return numbers


@dataclass(frozen=True)
class Dates:
    """A column of date-times.

    Attributes
    ----------
    form : DateForm or StrptimeForm
    note : str or None
        How it was read; None for ISO 8601 without anything missing.
    n_missing : int
        Cells that hold something that means missing or stands for no date. With a
        ``StrptimeForm`` those are left out that only the format would show.
    missing_words : tuple of str
    """

    form: DateForm | StrptimeForm
    note: str | None
    n_missing: int
    missing_words: tuple[str, ...]

    def apply(self, texts: pyarrow.Array, first_row: int) -> Cells:
        """Return the seconds since 1970 UTC of a chunk, NaN for missing.

        Raises
        ------
        CellError
            For the first cell that is no date-time by the form.
        """
        column, missing = _present(texts, self.missing_words)
        moments = self.form.read(column)
        unread = np.isnan(moments.seconds) & ~moments.are_never & ~missing
        refuse_unread(texts, unread, first_row, self.form.expected)
        return moments.seconds


@dataclass(frozen=True)
class Booleans:
    """A column of truth values; attributes as of :class:`Numbers`."""

    note: str | None
    n_missing: int
    missing_words: tuple[str, ...]

    def apply(self, texts: pyarrow.Array, first_row: int) -> Cells:
        """Return 1 for true, 0 for false, NaN for missing.

        Raises
        ------
        CellError
            For the first cell that is neither.
        """
        column, missing = _present(texts, self.missing_words)
        values = read_booleans(column)
        refuse_unread(texts, np.isnan(values) & ~missing, first_row, "true or false")
        return values


@dataclass(frozen=True)
class Texts:
    """A column of texts, which stay as they are.

    Attributes
    ----------
    note : str or None
        Why it is none of numbers, where it may look like one.
    examples : tuple of Example
        The first cells that are neither numbers nor dates.
    """

    note: str | None = None
    examples: tuple[Example, ...] = ()


Reading = Numbers | Dates | Booleans | Texts | Refused


def decide(
    scan: TextScan,
    *,
    name: str,
    decimal: str | None = None,
    thousands: str | None = None,
    time_format: str | None = None,
    wanted: Wanted | None = None,
) -> Reading:
    """Return by which rule a column is read, or why by none.

    Let *present* be the cells that are not empty and hold no word that means missing.

    - If all present cells are true or false: truth values.
    - If at least 90 % look like numbers, it is a column of numbers: read by the one rule that reads
      all, else refused. But if all are digits only and one begins with a zero, as ``007``, they are
      codes: texts.
    - If at least 90 % are dates, or stand for none, likewise.
    - If numbers and dates together are 90 % and dates are half of these: refused.
    - Else it is a column of texts.

    Parameters
    ----------
    scan : TextScan
        Of the whole column.
    name : str
        Of the column, for the cure.
    decimal, thousands : str, optional
        The marks of numbers, which are said for the whole table; else they are found. A column that
        they do not read, and that leaves no doubt about its own, is read by these.
    time_format : str, optional
        By which format of ``strptime`` the column is read, whatever it looks like.
    wanted : {"number", "date"}, optional
        What it has to be, because it is the amount or a feature that a model knows: anything else
        is refused, and digits with leading zeros are numbers. With "date" numbers are numbers still
        (see :mod:`training.cells.time_units`).

    Raises
    ------
    ValueError
        If the decimal mark or the separator of thousands is none.
    """
    if time_format is not None:
        try:
            return _dates(scan, StrptimeForm(time_format))
        except ValueError as error:
            return Refused(str(error), (), "write --time-format as in %d/%m/%Y %H:%M")
    options = (decimal, thousands)
    n_present = scan.n_present
    n_numbers = count_numbers(scan.numbers, n_present)
    n_dates = sum(tally.count for tally in scan.dates.values())
    enough = MOST_OF_THEM * n_present
    if wanted == "number":
        if n_present and not n_numbers:
            return _without(scan, "numbers", "correct the cells")
        return _decide_numbers(scan, CURES["number"], *options)
    if wanted == "date":
        if n_dates and n_dates >= n_numbers:
            return _decide_dates(scan, CURES["date"])
        if n_numbers:
            return _decide_numbers(scan, CURES["date"], *options)
        return _without(scan, "dates", "correct the cells, or say their form with --time-format")
    if not n_present:
        return Texts()
    cure = f"{CURES['number']}, or name {name!r} under data.categorical in a configuration file"
    if scan.booleans.count == n_present:
        return Booleans(note_on(scan.missing), scan.missing.total(), scan.missing_words)
    if n_numbers >= enough:
        if _are_codes(scan):
            return Texts("digits with leading zeros are codes, not numbers")
        return _decide_numbers(scan, cure, *options)
    if n_dates >= enough:
        return _decide_dates(scan, cure)
    if n_numbers + n_dates >= enough and 2 * n_dates >= n_present:
        return _refuse_rest(scan, cure, "dates", scan.numbers, n_present - n_dates)
    return Texts(examples=tuple(scan.texts.examples))


def _decide_numbers(
    scan: TextScan, cure: str, decimal: str | None, thousands: str | None
) -> Numbers | Refused:
    chosen = choose_rule(scan.numbers, decimal, thousands)
    is_said = decimal is not None or thousands is not None
    own = None
    if is_said and not _reads_all(chosen, scan):
        found = choose_rule(scan.numbers)
        if _reads_all(found, scan):
            chosen = found
            own = f"its numbers have their own marks, {found[0].how.removeprefix(' with ')}"
    if isinstance(chosen, Refused):
        return chosen
    rule, n_read = chosen
    others = {shape: tally for shape, tally in scan.numbers.items() if not rule.reads(shape)}
    if n_read < scan.n_present:
        kind = f"numbers{rule.how}" if others else "numbers"
        return _refuse_rest(scan, cure, kind, others | scan.dates, scan.n_present - n_read)
    note = _joined(own or describe_rule(rule, scan.numbers), note_on(scan.missing))
    return Numbers(rule, note, scan.missing.total(), scan.missing_words)


def _reads_all(chosen: tuple[NumberRule, int] | Refused, scan: TextScan) -> bool:
    return not isinstance(chosen, Refused) and chosen[1] == scan.n_present


def _decide_dates(scan: TextScan, cure: str) -> Dates | Refused:
    chosen = choose_form(scan.dates)
    if isinstance(chosen, Refused):
        return chosen
    form, n_read = chosen
    others = {shape: tally for shape, tally in scan.dates.items() if not form.reads(shape)}
    if n_read < scan.n_present:
        kind = f"dates as {form.words}"
        return _refuse_rest(scan, cure, kind, others | scan.numbers, scan.n_present - n_read)
    return _dates(scan, form)


def _dates(scan: TextScan, form: DateForm | StrptimeForm) -> Dates:
    """Return the reading of dates with its note."""
    never = [tally for shape, tally in scan.dates.items() if shape.is_never]
    n_never = sum(tally.count for tally in never)
    parts = [] if form.is_iso else [f"dates are read as {form.words}; without a zone they are UTC"]
    if n_never:
        such = shown(first_examples(never)[0].value)
        parts.append(f"{n_never:,} such as {such} stand for no date and are read as missing")
    note = _joined(*parts, note_on(scan.missing))
    return Dates(form, note, scan.missing.total() + n_never, scan.missing_words)


def _refuse_rest(
    scan: TextScan, cure: str, kind: str, others: Mapping[object, Tally], count: int
) -> Refused:
    """Refuse a column because of the cells that are not of a kind."""
    but = "one cell is" if count == 1 else f"{count:,} cells are"
    return Refused(
        f"a column of {kind}, but {but} not",
        first_examples([*others.values(), scan.texts, scan.booleans]),
        cure,
    )


def _without(scan: TextScan, kind: str, cure: str) -> Refused:
    """Refuse a column that holds nothing of the kind that it has to be."""
    tallies = [scan.texts, scan.booleans, *scan.numbers.values(), *scan.dates.values()]
    return Refused(f"it holds no {kind}", first_examples(tallies), cure)


def _are_codes(scan: TextScan) -> bool:
    """Return whether the numbers of a column are digits only, some with a leading zero."""
    only_digits = all(shape.is_whole and shape.unit is None for shape in scan.numbers)
    return only_digits and any(shape.starts_with_zero for shape in scan.numbers)


def _joined(*notes: str | None) -> str | None:
    return "; ".join(note for note in notes if note) or None


def _present(texts: pyarrow.Array, words: Sequence[str]) -> tuple[MaskedColumn, NDArray[np.bool_]]:
    """Return a column without its words for missing, and which cells are missing."""
    column = MaskedColumn(texts)
    are_words = are_missing(column.texts, words)
    missing = are_words | (column.codes < 0)
    return (column.without(are_words) if are_words.any() else column), missing
