"""Transactions as JSON objects → rows of the matrix that a model reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from model.cells import EMPTY, MISSING, cell_from_json
from model.chunks import chunks
from model.errors import FeatureError
from model.suggestions import Suggestions

if TYPE_CHECKING:
    from model.features import Feature, Matrix

MOST_UNKNOWN = 100  # keys of a row that are named
CHUNK_ROWS = 1024  # that array operations read at a time, for which all other threads wait
MOST_PROBLEM_ROWS = 100  # a reply that lists more rows helps nobody
MOST_PROBLEMS = 1000  # after the row that brings as many, no further one is looked at

_NUMBER_OR_NULL = frozenset({float, int, type(None)})


class RowReader:
    """Reads transactions into a matrix, in order or with every problem named.

    Parameters
    ----------
    features : sequence of Feature
    id_keys : sequence of str
        Keys that are accepted beside the features and not read.
    missing : frozenset of str
        Strings that mean missing.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        id_keys: Sequence[str],
        missing: frozenset[str] = EMPTY,
    ) -> None:
        numeric = [feature for feature in features if feature.kind == "numeric"]
        self._features = features
        self._missing = missing
        all_names = tuple(feature.name for feature in features)
        self._known = frozenset((*all_names, *id_keys))
        self._suggestions = Suggestions(all_names)
        self._numeric = np.flatnonzero([feature.kind == "numeric" for feature in features])
        self._names = tuple(feature.name for feature in numeric)
        self._others = [(i, f) for i, f in enumerate(features) if f.kind != "numeric"]
        self._required_numeric = np.array([not feature.nullable for feature in numeric], bool)
        low = [-np.inf if feature.minimum is None else feature.minimum for feature in numeric]
        high = [np.inf if feature.maximum is None else feature.maximum for feature in numeric]
        self._limits = np.array(low), np.array(high)
        self._is_bounded = bool(np.isfinite(self._limits).any())
        # takes all numbers out of a row at once; not where some may be missing
        self._take: Callable[[Mapping[str, Any]], tuple[Any, ...]] | None = None
        if len(numeric) > 1 and self._required_numeric.all():
            self._take = itemgetter(*self._names)

    def matrix(self, rows: Sequence[Any]) -> Matrix:
        """Return the matrix of transactions.

        Raises
        ------
        FeatureError
            Naming row, feature and reason of every problem (of at most 100 rows, and of none
            after 1,000 problems).
        """
        is_short = len(rows) <= CHUNK_ROWS
        matrix = self.matrix_if_plain(rows) if is_short else self._matrix_in_chunks(rows)
        return self.matrix_cell_by_cell(rows) if matrix is None else matrix

    def _matrix_in_chunks(self, rows: Sequence[Any]) -> Matrix | None:
        parts = []
        for part in chunks(len(rows), CHUNK_ROWS):
            matrix = self.matrix_if_plain(rows[part])
            if matrix is None:
                return None
            parts.append(matrix)
        return np.concatenate(parts)

    def matrix_if_plain(self, rows: Sequence[Any]) -> Matrix | None:
        """Return the matrix if all rows are in order, which a few array operations can tell.

        Anything out of the ordinary gives None: then the slow way finds out what it is.
        """
        known, names = self._known, self._names
        try:
            # as many keys as features, all of which are taken below: then there are no others
            exact = -1 if self._take is None or self._others else len(names)
            for row in rows:
                n_keys = len(row)
                if n_keys != exact and not (
                    len(names) <= n_keys <= len(known) and row.keys() <= known
                ):
                    return None
            if self._take is not None:
                values = list(chain.from_iterable(map(self._take, rows)))
            else:  # a missing key reads as null
                values = [row.get(name) for row in rows for name in names]
            if not _NUMBER_OR_NULL.issuperset(map(type, values)):
                return None
            numbers = np.array(values, np.float64).reshape(len(rows), len(names))
        except (KeyError, TypeError, AttributeError, OverflowError):
            return None
        if not self._plausible(numbers, values):
            return None
        if not self._others:
            return numbers
        matrix = np.empty((len(rows), len(self._features)))
        matrix[:, self._numeric] = numbers
        for column, feature in self._others:
            for number, row in enumerate(rows):
                cell, problem = cell_from_json(feature, row.get(feature.name), self._missing)
                if problem is not None:
                    return None
                matrix[number, column] = cell
        return matrix

    def _plausible(self, numbers: Matrix, values: list[float | int | None]) -> bool:
        # a finite sum of squares shows all numbers to be finite, for a third of the time
        if not math.isfinite(np.vdot(numbers, numbers)):
            is_finite = np.isfinite(numbers)
            # null has become NaN; a NaN or an infinity that was sent is not among the nulls
            if np.count_nonzero(~is_finite) != values.count(None):
                return False
            if not is_finite[:, self._required_numeric].all():
                return False
        if not self._is_bounded:
            return True
        low, high = self._limits
        return not np.count_nonzero((numbers < low) | (numbers > high))

    def matrix_cell_by_cell(self, rows: Sequence[Any]) -> Matrix:
        """Return the same matrix the slow way, which finds every problem."""
        matrix = np.full((len(rows), len(self._features)), np.nan)
        problems: dict[int, dict[str, list[str]]] = {}
        n_problems = 0
        suggest = self._suggestions.of_request()
        for number, row in enumerate(rows):
            found = self._fill(matrix[number], row, suggest)
            if found:
                problems[number] = found
                n_problems += len(found)
                if len(problems) == MOST_PROBLEM_ROWS or n_problems >= MOST_PROBLEMS:
                    break
        if problems:
            raise FeatureError(problems)
        return matrix

    def _fill(
        self, cells: Matrix, row: Any, suggest: Callable[[str], str | None]
    ) -> dict[str, list[str]]:
        if not isinstance(row, Mapping):
            return {"_schema": ["Invalid input type: expected an object."]}
        unfamiliar = (str(name) for name in row if name not in self._known)
        found = {name: [_unknown(suggest(name))] for name in islice(unfamiliar, MOST_UNKNOWN)}
        for column, feature in enumerate(self._features):
            if feature.name in row:
                cells[column], problem = cell_from_json(feature, row[feature.name], self._missing)
            else:
                problem = None if feature.nullable else MISSING
            if problem is not None:
                found[feature.name] = [problem]
        return found


def _unknown(likely: str | None) -> str:
    return "Unknown field." if likely is None else f"Unknown field. Did you mean {likely!r}?"
