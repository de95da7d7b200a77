"""Parts of sentences."""

from __future__ import annotations

from collections.abc import Sequence

from training.report.formats import count

MOST_NAMED = 6


def named(names: Sequence[str]) -> str:
    """Return some names as a sentence has them.

    Examples
    --------
    >>> named(["a", "b", "c"])
    'a, b and c'
    """
    shown = list(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        shown[-1:] = ["others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def all_of(n: int, of: int, what: str) -> str:
    """Return how many of some rows are of a kind, to be added to a sentence; nothing for none.

    Examples
    --------
    >>> all_of(3, 4, "frauds"), all_of(4, 4, "frauds"), all_of(0, 4, "frauds")
    (', 3 of them frauds', ', all of them frauds', '')
    """
    if not n:
        return ""
    return f", {'all' if n == of else count(n)} of them {what}"
