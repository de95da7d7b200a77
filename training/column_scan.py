"""What a column of a table holds, added up over the chunks in which the table is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import pandas as pd
import pyarrow
from pandas.api import types

Look = Literal["boolean", "numeric", "datetime", "text"]

FIRST_TEXTS = 1000  # that tell date-times from categories, and that junk is shown of
FEWEST_PENDING = 10_000  # different texts of single chunks that are kept before they are merged


class TextCounts:
    """How often each text comes, in about the memory that the different texts take."""

    def __init__(self) -> None:
        self._counts = _counts_of([])
        self._pending: list[pyarrow.Table] = []
        self._n_pending = 0

    def add(self, texts: Sequence[str | None]) -> None:
        """Count some texts; None is none."""
        counts = _counts_of(texts)
        self._pending.append(counts)
        self._n_pending += len(counts)
        if self._n_pending > max(len(self._counts), FEWEST_PENDING):
            self._merge()

    def __len__(self) -> int:
        self._merge()
        return len(self._counts)

    def most_frequent(self, most: int, fewest: int) -> list[str]:
        """Return the texts that come at least ``fewest`` times; where none does, the first.

        In order of their number, then of the alphabet; not more than ``most``.
        """
        self._merge()
        order = [("count", "descending"), ("text", "ascending")]
        texts, counts = self._counts.sort_by(order).slice(0, most).to_pydict().values()
        n_frequent = sum(count >= fewest for count in counts)
        return texts[: max(n_frequent, 1)]

    def _merge(self) -> None:
        if self._pending:
            together = pyarrow.concat_tables([self._counts, *self._pending]).group_by("text")
            summed = together.aggregate([("count", "sum")])
            self._counts = summed.select(["text", "count_sum"]).rename_columns(["text", "count"])
            self._pending, self._n_pending = [], 0


def _counts_of(texts: Sequence[str | None]) -> pyarrow.Table:
    counted = pyarrow.array(texts, pyarrow.large_string()).drop_null().value_counts()
    columns = {"text": counted.field("values"), "count": counted.field("counts")}
    return pyarrow.table(columns)


class ColumnScan:
    """What is known of a column after some of its chunks.

    Parameters
    ----------
    name : str
    is_declared : bool
        Whether it holds categories, whatever they look like.

    Attributes
    ----------
    n_rows, n_missing, n_numbers : int
        ``n_numbers``: texts that are numbers.
    looks : set of str
        What the chunks that have values look like.
    texts : TextCounts
    junk : list of str
        The first texts that are no numbers.
    """

    def __init__(self, name: str, *, is_declared: bool) -> None:
        self.name = name
        self.n_rows = self.n_missing = self.n_numbers = 0
        self.looks: set[Look] = set()
        self.texts = TextCounts()
        self.junk: list[str] = []
        self._is_declared = is_declared
        self._first: list[str] = []
        self._has_dates: bool | None = None

    def add(self, column: pd.Series) -> None:
        """Look at the next chunk."""
        present = column.dropna()
        self.n_rows += len(column)
        self.n_missing += len(column) - len(present)
        if present.empty:
            return
        look = _look_of(present)
        self.looks.add(look)
        if look == "text" and not self._is_declared:
            texts = present.astype(str)
            is_number = pd.to_numeric(texts, errors="coerce").notna()
            self.n_numbers += int(is_number.sum())
            self.junk += texts[~is_number].head(FIRST_TEXTS - len(self.junk)).tolist()
            self._first += texts.head(FIRST_TEXTS - len(self._first)).tolist()
        # date-times would all be different: there is no use in counting them
        if self._is_declared or (look == "text" and not self.begins_with_dates()):
            self.texts.add(texts_of(present))

    @property
    def look(self) -> Look:
        """What the column looks like as a whole: text, where its chunks differ."""
        (only, *others) = self.looks
        return "text" if others else only

    def begins_with_dates(self) -> bool:
        """Return whether the first texts are all date-times."""
        if self._has_dates is not None:
            return self._has_dates
        moments = pd.to_datetime(
            pd.Series(self._first, dtype=object), utc=True, errors="coerce", format="ISO8601"
        )
        has_dates = bool(moments.notna().all())
        if len(self._first) == FIRST_TEXTS:
            self._has_dates = has_dates
        return has_dates


def scan(
    frames: Iterable[pd.DataFrame], names: Sequence[str], declared: Sequence[str]
) -> list[ColumnScan]:
    """Look at some columns of a table, chunk by chunk."""
    columns = [ColumnScan(name, is_declared=name in declared) for name in names]
    for frame in frames:
        for column in columns:
            column.add(frame[column.name])
    return columns


def texts_of(column: pd.Series) -> list[str | None]:
    """Return a column as texts, with None for missing; whole numbers without a decimal point.

    Each value by itself: a chunk of a column gives what the whole column would.
    """
    if types.is_float_dtype(column):
        return [None if pd.isna(x) else str(int(x) if x % 1 == 0 else x) for x in column.tolist()]
    texts = column.astype(object).where(column.notna().to_numpy(), None)
    return [None if text is None else str(text) for text in texts]


def _look_of(present: pd.Series) -> Look:
    if types.is_bool_dtype(present):
        return "boolean"
    if types.is_numeric_dtype(present):
        return "numeric"
    if types.is_datetime64_any_dtype(present):
        return "datetime"
    is_boolean = present.isin([True, False]).all() and present.map(type).eq(bool).all()
    return "boolean" if is_boolean else "text"
