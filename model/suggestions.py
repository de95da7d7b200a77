"""The known name that an unknown one is likely to stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

MOST_NEW = 3  # names of one request that are compared with the known ones
LONGEST = 64  # characters of a name that is compared
MOST_KEPT = 256  # names whose suggestion is remembered
_MOST_CANDIDATES = 5  # known names that are compared letter by letter
_CUTOFF = 0.6  # that of difflib
_BUCKETS = 128


class Suggestions:
    """Finds likely names in bounded time: whoever asks decides how many names are unknown.

    Comparing two names letter by letter takes time with the product of their lengths. Two names
    that have few letters in common cannot be alike, which counts of letters tell for all known
    names at once; only the best by those are compared.

    Parameters
    ----------
    known : sequence of str
    """

    def __init__(self, known: Sequence[str]) -> None:
        self._known = known
        self._lengths = np.array([len(name) for name in known])
        self._letters = np.array([_letters(name) for name in known])
        self._kept: dict[str, str | None] = {}

    def of_request(self) -> Callable[[str], str | None]:
        """Return what finds the names of one request: new ones only for the first few.

        A client that repeats its request is told of a few more each time.
        """
        n_left = MOST_NEW

        def suggest(name: str) -> str | None:
            nonlocal n_left
            if name in self._kept:
                return self._kept[name]
            if not n_left or len(name) > LONGEST:
                return None
            n_left -= 1
            found = self._find(name)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[name] = found
            return found

        return suggest

    def _find(self, name: str) -> str | None:
        n_common = np.minimum(self._letters, _letters(name)).sum(axis=1)
        # as difflib measures it, and at least as much: the order of the letters is left out
        likeness = 2 * n_common / np.maximum(self._lengths + len(name), 1)
        best = np.argsort(-likeness, kind="stable")[:_MOST_CANDIDATES]
        candidates = [self._known[i] for i in best if likeness[i] >= _CUTOFF]
        return next(iter(get_close_matches(name, candidates, n=1, cutoff=_CUTOFF)), None)


def _letters(name: str) -> NDArray[np.int64]:
    return np.bincount([ord(letter) % _BUCKETS for letter in name], minlength=_BUCKETS)
