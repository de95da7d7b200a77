"""Which column of a table is the label, the time, the amount: named, or by its usual names."""

from __future__ import annotations

from collections.abc import Sequence

from training.errors import DataError

# Usual names, compared without case, spaces and underscores; the earlier wins.
LABELS = ("class", "is fraud", "fraud", "tx fraud", "label", "target")
TIMES = (
    "time",
    "timestamp",
    "transaction time",
    "transaction date",
    "tx datetime",
    "trans date trans time",
    "datetime",
    "date",
)
AMOUNTS = ("amount", "transaction amount", "tx amount", "amt")


def find_column(
    names: Sequence[str], named: str | None, usual: Sequence[str], source: str
) -> str | None:
    """Return the column that is named, or the first that has a usual name; None if there is none.

    Raises
    ------
    DataError
        If the column that is named is not there.
    """
    if named is not None:
        if named not in names:
            raise DataError(source, f"there is no such column; there are {list(names)}", named)
        return named
    plain = {_plain(name): name for name in reversed(names)}
    return next((plain[_plain(name)] for name in usual if _plain(name) in plain), None)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()
