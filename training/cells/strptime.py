"""Date-times by a format of ``strptime`` that is given rather than found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.cells.dates import MICROSECONDS, NEVER, Moments, layout_of
from training.cells.masks import MaskedColumn

LAST_OF_2099 = np.datetime64("2099-12-31")


@dataclass(frozen=True)
class StrptimeForm:
    """A format such as ``%d/%m/%Y %H:%M``.

    Raises
    ------
    ValueError
        If it has directives that there are not, or none.
    """

    format: str

    def __post_init__(self) -> None:
        if "%" not in self.format:
            raise ValueError(f"{self.format!r} has no directives, as in %d/%m/%Y %H:%M")
        try:
            pd.to_datetime(pd.Series(["0"], dtype=object), format=self.format, errors="coerce")
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"{self.format!r} is no format of date-times: {reason}") from None

    def read(self, column: MaskedColumn) -> Moments:
        """Return the moments of a column; NaN also for cells that are none by this format."""
        encoded = column.texts.dictionary_encode()
        texts = pd.Series(encoded.dictionary.to_pylist(), dtype=object)
        moments = pd.to_datetime(texts, format=self.format, utc=True, errors="coerce")
        microseconds = moments.dt.tz_localize(None).to_numpy("datetime64[us]")
        seconds = np.where(moments.isna(), np.nan, microseconds.astype(np.int64) / MICROSECONDS)
        days = microseconds.astype("datetime64[D]")
        never = (days >= np.datetime64(f"{NEVER}-01-01")) | (days == LAST_OF_2099)
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        are_never = np.append(never, False)[codes] | _stand_for_none(column)
        found = np.append(seconds, np.nan)[codes]
        return Moments(np.where(are_never, np.nan, found), are_never)

    @property
    def is_iso(self) -> bool:
        """Whether nothing needs to be said of it."""
        return False

    @property
    def words(self) -> str:
        """The form as a person would say it."""
        return f"{self.format!r}, as given"

    @property
    def expected(self) -> str:
        """What a cell that is refused should have been."""
        return f"a date as {self.format!r}"


def _stand_for_none(column: MaskedColumn) -> NDArray[np.bool_]:
    """Return which cells stand for no date, as 0000-00-00, whatever the format."""
    are_never = np.zeros(len(column.codes), np.bool_)
    for code, mask in column.with_digits:
        layout = layout_of(mask)
        if layout is not None:
            positions = column.positions(code)
            for shape, have_it in layout.shapes(column.cells(positions)):
                if shape.is_never:
                    are_never[positions[have_it]] = True
    return are_never
