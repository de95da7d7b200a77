"""Which date-time of a table is the time of the transaction, and what the others are for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from model.features import Feature

# What in the name of a date says that it is not the transaction's: words, and parts of words.
OTHER_WORDS = frozenset({"dob", "born", "opened", "joined", "since"})
OTHER_PARTS = ("birth", "signup", "registr", "expir", "enrol", "onboard")


def only_date(features: Sequence[Feature]) -> Feature | None:
    """Return the date-time that must be the transaction's, as there is no other; or None."""
    dates = [feature for feature in features if feature.kind == "datetime"]
    return dates[0] if len(dates) == 1 and not _says_otherwise(dates[0].name) else None


def own_time(features: Sequence[Feature], time: str | None) -> str | None:
    """Return the feature that says when the transaction took place; None where none does.

    Parameters
    ----------
    features : sequence of Feature
    time : str or None
        The column that rows are ordered by.
    """
    if time is not None:
        return next((f.name for f in features if f.name == time and f.kind == "datetime"), None)
    only = only_date(features)
    return None if only is None else only.name


def other_dates(features: Sequence[Feature], own: str | None) -> tuple[str, ...]:
    """Return the date-times that say something else than when the transaction took place."""
    return tuple(f.name for f in features if f.kind == "datetime" and f.name != own)


def note_on(dates: Sequence[str], own: str | None, *, has_time: bool) -> list[str]:
    """Say what dates are measured to where no date-time is the transaction's own."""
    if not dates or own is not None:
        return []
    why = "the time column is no date-time" if has_time else "no column is known as the time"
    cure = "" if has_time else "; name it with --time, so that they enter as the days up to it"
    return [f"dates ({', '.join(dates)}) enter as days since 1970: {why}{cure}"]


def _says_otherwise(name: str) -> bool:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    words = re.findall(r"[a-z]+", spaced)
    joined = "".join(words)  # sign_up is signup
    return bool(OTHER_WORDS.intersection(words)) or any(part in joined for part in OTHER_PARTS)
