"""Texts that a spreadsheet would run: cells of a CSV file that begin as a formula does."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow

# OWASP, "CSV Injection": =, +, -, @, tab and line breaks; the wide forms mean the same in some
# languages. A plain number with a sign is only a number.
_BEGINNING = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*", re.ASCII)


def escaped(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return a frame whose texts are only texts in a spreadsheet, and how many were changed.

    Parameters
    ----------
    frame : DataFrame

    Returns
    -------
    frame : DataFrame
        With ``'`` before each text, also a column's name, that begins as a formula does.
    n_escaped : int
        Cells and names.
    """
    n_escaped = 0
    columns = {}
    for name, column in frame.items():
        if is_formula(str(name)):
            n_escaped += 1
        if _holds_texts(column.dtype):
            beginning = column.str.match(_BEGINNING).fillna(value=False).astype(bool)
            if beginning.any():
                found = column[beginning].map(is_formula)
                found = found.index[found.astype(bool)]
                column = column.astype(object)
                column[found] = "'" + column[found]
                n_escaped += len(found)
        columns[f"'{name}" if is_formula(str(name)) else name] = column
    return pd.DataFrame(columns, index=frame.index), n_escaped


def is_formula(text: str) -> bool:
    """Say whether a spreadsheet would take a text for a formula."""
    return re.match(_BEGINNING, text) is not None and not _NUMBER.fullmatch(text)


def _holds_texts(dtype: object) -> bool:
    if isinstance(dtype, pd.ArrowDtype):
        kind = dtype.pyarrow_dtype
        return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind))
    return isinstance(dtype, pd.StringDtype)
