"""The feature specification: which columns a model reads, and transactions → matrix.

The matrix is float64, one column a feature, in the order of the specification: numbers as they
are, booleans as 0 and 1, categories as their code (one past the last for texts that training has
not seen, two past it for those that it saw too rarely), date-times as seconds since 1970-01-01
UTC, and NaN for what is missing. Training and serving build it here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from re import sub
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from model.cells import DAY, EMPTY, FIRST_MOMENT, LAST_MOMENT, cells_from_column
from model.errors import ConfigurationError
from model.plausible import is_finite, is_range
from model.rare import RareTexts
from model.rows import RowReader

Matrix = NDArray[np.float64]
Kind = Literal["numeric", "boolean", "categorical", "datetime"]

TRANSACTION_ID = "transaction_id"
RESERVED = frozenset({TRANSACTION_ID, "transactions"})  # keys with a meaning of their own
TYPICAL = (0.05, 0.95)  # quantiles of legitimate rows
DIGITS = 6  # significant ones: people read these


class Columns(Protocol):
    """A matrix (n, F) that is read a column at a time, as ``matrix[:, column]``: it may be large.

    An array is one.
    """

    def __len__(self) -> int:
        """Return how many rows there are."""
        ...

    def __getitem__(self, key: tuple[slice, int], /) -> Matrix:
        """Return a column."""
        ...


@dataclass(frozen=True)
class Feature:
    """One column.

    Attributes
    ----------
    name, kind, unit
        What it is called, how it is read, what it is measured in.
    nullable : bool
        Whether it may be missing.
    minimum, maximum : float or None
        Declared bounds; a value outside is refused.
    seen : tuple of float or None
        Range in training: shown and counted, never enforced.
    typical : tuple of float or None
        5 % and 95 % quantile of legitimate rows.
    central : float
        Median, or most frequent code, of legitimate rows.
    categories : tuple of str
        Values of a categorical feature that are told apart; all others are scored as "other".
    rare : str
        Those of the others that training rows held, as :func:`model.rare.encode` writes them.
    typical_days : tuple of float or None
        Of one of the specification's ``dates``: 5 % and 95 % quantile, over legitimate rows, of the
        days from it to the transaction's time.
    """

    name: str
    kind: Kind = "numeric"
    unit: str | None = None
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    seen: tuple[float, float] | None = None
    typical: tuple[float, float] | None = None
    central: float = 0.0
    categories: tuple[str, ...] = ()
    rare: str = ""
    typical_days: tuple[float, float] | None = None

    @property
    def other(self) -> int:
        """The code of categories unseen in training."""
        return len(self.categories)

    @property
    def pooled(self) -> int:
        """The code of categories that training saw too rarely: scored as unseen ones are."""
        return len(self.categories) + 1

    @cached_property
    def rare_texts(self) -> RareTexts:
        """The categories that training saw too rarely to tell apart."""
        return RareTexts(self.rare)

    @cached_property
    def code(self) -> str:
        """The name as reason codes spell it."""
        return sub(r"[^A-Z0-9]+", "_", self.name.upper()).strip("_")

    @cached_property
    def codes(self) -> dict[str, int]:
        """Category → code, to be read as ``codes[text]``: every text has one."""
        return _Codes(self)

    def measured(self, cells: Matrix, legitimate: Matrix) -> Feature:
        """Return the feature with what training rows, and the legitimate among them, look like."""
        cells, legitimate = cells[~np.isnan(cells)], legitimate[~np.isnan(legitimate)]
        if not len(legitimate):
            return self
        if self.kind in ("categorical", "boolean"):
            return replace(self, central=float(np.bincount(legitimate.astype(np.intp)).argmax()))
        low, central, high = np.quantile(legitimate, (TYPICAL[0], 0.5, TYPICAL[1])).tolist()
        if self.kind == "numeric":
            low, central, high = (float(f"{value:.{DIGITS}g}") for value in (low, central, high))
        seen = (float(cells.min()), float(cells.max()))
        return replace(self, seen=seen, typical=(low, high), central=central)


class _Codes(dict[str, int]):
    """Category → code; a text that is none has the code of rare ones or of unseen ones."""

    def __init__(self, feature: Feature) -> None:
        super().__init__({category: code for code, category in enumerate(feature.categories)})
        self._other, self._pooled = feature.other, feature.pooled
        self._rare = feature.rare_texts if feature.rare else ()  # to look in which costs nothing

    def __missing__(self, text: str) -> int:
        return self._pooled if text in self._rare else self._other


@dataclass(frozen=True)
class Novelty:
    """How many values of some transactions training has not seen the like of, or seldom.

    Attributes
    ----------
    out_of_range, unseen_categories, rare_categories : int
    per_column : ndarray (F,) of int or None
        The first two by feature; None where there are none at all.
    rare_per_column : ndarray (F,) of int or None
        The third by feature; None where there are none.
    """

    out_of_range: int
    unseen_categories: int
    rare_categories: int = 0
    per_column: NDArray[np.int64] | None = field(default=None, compare=False)
    rare_per_column: NDArray[np.int64] | None = field(default=None, compare=False)


_NOTHING_NOVEL = Novelty(0, 0)


@dataclass(frozen=True)
class FeatureSpec:
    """The features of a model, in order.

    Attributes
    ----------
    features : tuple of Feature
    id_column : str or None
        Key beside ``transaction_id`` that is accepted, echoed and never scored.
    amount : str or None
        The feature that holds the amount at stake.
    time : str or None
        The date-time that says when the transaction took place.
    dates : tuple of str
        The date-times that say something else, as a birth or a sign-up: they enter also as the days
        from them to the transaction's time, or where no feature is that to 1970-01-01.
    missing : tuple of str
        Words that mean missing, as the empty text always does.
    """

    features: tuple[Feature, ...]
    id_column: str | None = None
    amount: str | None = None
    time: str | None = None
    dates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = self.names
        roles = filter(None, (self.id_column, self.amount, self.time, *self.dates))
        if not all(isinstance(text, str) for text in (*roles, *self.missing)):
            raise ConfigurationError("the id, the amount, dates and missing words are texts")
        if not names:
            raise ConfigurationError("a model needs at least one feature")
        wrong = {n for n in names if n in self.id_keys or n in RESERVED or names.count(n) > 1}
        if wrong:
            raise ConfigurationError(
                f"feature names must be unique and neither reserved nor the id: {sorted(wrong)}"
            )
        if self.amount is not None and self.amount not in names:
            raise ConfigurationError(f"the amount {self.amount!r} is not a feature")
        moments = {feature.name for feature in self.features if feature.kind == "datetime"}
        for name in filter(None, (self.time, *self.dates)):
            if name not in moments:
                raise ConfigurationError(f"the time or date {name!r} is not a date-time feature")
        if self.time in self.dates or len(set(self.dates)) != len(self.dates):
            raise ConfigurationError(f"dates are each once, the time is none: {self.dates}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Feature names in order."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def amount_column(self) -> int | None:
        """The column of the amount; None where no feature is the amount."""
        return None if self.amount is None else self.names.index(self.amount)

    @cached_property
    def time_column(self) -> int | None:
        """The column of the transaction's time; None where no feature is that."""
        return None if self.time is None else self.names.index(self.time)

    @cached_property
    def date_columns(self) -> tuple[int, ...]:
        """The columns of the dates."""
        return tuple(map(self.names.index, self.dates))

    def days_since(self, date: int, matrix: Columns) -> Matrix:
        """Return the days from a date to the transaction's time, NaN where either is missing.

        Parameters
        ----------
        date : int
            Its column.
        matrix : ndarray (n, F)
        """
        return (self.moments(matrix) - matrix[:, date]) / DAY

    def moments(self, matrix: Columns) -> Matrix:
        """Return what dates are measured to: the transaction's time, or 1970-01-01 without."""
        column = self.time_column
        return np.zeros(len(matrix)) if column is None else matrix[:, column]

    @cached_property
    def id_keys(self) -> tuple[str, ...]:
        """Keys that identify a transaction: accepted, echoed, never scored."""
        return tuple(dict.fromkeys(filter(None, (TRANSACTION_ID, self.id_column))))

    @cached_property
    def _missing(self) -> frozenset[str]:
        return EMPTY.union(self.missing)

    @cached_property
    def _reader(self) -> RowReader:
        return RowReader(self.features, self.id_keys, self._missing)

    def matrix_from_rows(self, rows: Sequence[Any]) -> Matrix:
        """Return the matrix of transactions given as JSON objects.

        Parameters
        ----------
        rows : sequence
            Parsed JSON values, each an object of features by name.

        Returns
        -------
        ndarray (n, F), float64

        Raises
        ------
        FeatureError
            Naming row, feature and reason of every problem (of at most 100 rows).
        """
        return self._reader.matrix(rows)

    def matrix_from_columns(self, columns: Mapping[str, Sequence[Any]]) -> Matrix:
        """Return the matrix of a table.

        Parameters
        ----------
        columns : mapping of str to sequence
            Floats with NaN for missing (booleans as 0 and 1, date-times as epoch seconds);
            categories as str with None for missing.

        Returns
        -------
        ndarray (n, F), float64
        """
        return np.column_stack(
            [
                cells_from_column(feature, columns[feature.name], self._missing)
                for feature in self.features
            ]
        )

    @cached_property
    def _seen(self) -> tuple[Matrix, Matrix]:
        """Range of each column in training; for categories up to the last known code."""
        ranges = [
            (0.0, f.other - 1.0) if f.kind == "categorical" else f.seen or (-np.inf, np.inf)
            for f in self.features
        ]
        low, high = zip(*ranges, strict=True)
        return np.array(low), np.array(high)

    @cached_property
    def _categorical(self) -> NDArray[np.bool_]:
        return np.array([f.kind == "categorical" for f in self.features])

    @cached_property
    def _last_codes(self) -> Matrix | None:
        """The code of unseen categories by column, past which rare ones lie; None without these."""
        if not any(feature.rare for feature in self.features):
            return None
        codes = [f.other if f.kind == "categorical" else np.inf for f in self.features]
        return np.array(codes, np.float64)

    def count_novel(self, matrix: Matrix) -> Novelty:
        """Count values outside of the range seen in training, unseen and rare categories."""
        low, high = self._seen
        outside = (matrix < low) | (matrix > high)
        if not np.count_nonzero(outside):  # of one row a third of what any() takes
            return _NOTHING_NOVEL
        per_column = outside.sum(axis=0)
        n_rare, rare = 0, None
        if self._last_codes is not None:
            rare = (matrix > self._last_codes).sum(axis=0)
            n_rare = int(rare.sum())
            per_column -= rare
        unseen = int(per_column[self._categorical].sum())
        return Novelty(int(per_column.sum()) - unseen, unseen, n_rare, per_column, rare)

    def measured(self, matrix: Columns, is_legitimate: NDArray[np.bool_]) -> FeatureSpec:
        """Return the specification with ranges and typical values of training rows."""
        features = []
        for column, feature in enumerate(self.features):
            cells = matrix[:, column]
            features.append(feature.measured(cells, cells[is_legitimate]))
        for column in self.date_columns:
            days = self.days_since(column, matrix)[is_legitimate]
            days = days[~np.isnan(days)]
            if len(days):
                low, median, high = np.quantile(days, (TYPICAL[0], 0.5, TYPICAL[1])).tolist()
                moment = 0.0 if self.time_column is None else features[self.time_column].central
                # the typical transaction is as far from its dates as transactions typically are
                features[column] = replace(
                    features[column], typical_days=(low, high), central=moment - median * DAY
                )
        return replace(self, features=tuple(features))

    def central_row(self) -> Matrix:
        """Return the typical legitimate transaction, shape (1, F)."""
        return np.array([[feature.central for feature in self.features]])

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> FeatureSpec:
        """Rebuild a specification.

        Raises
        ------
        ConfigurationError
            If the facts are not those of a specification.
        """
        try:
            lists = {name: tuple(facts[name]) for name in ("dates", "missing") if name in facts}
            features = tuple(_feature_from_dict(feature) for feature in facts["features"])
            if not {"id_column", "amount"} <= facts.keys():
                raise ConfigurationError("a feature specification names its id and its amount")
            return cls(**{**facts, **lists, "features": features})
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"not a feature specification: {error}") from None


_ADDED = frozenset({"rare", "typical_days"})  # facts that older artifacts do not have


def _feature_from_dict(facts: Mapping[str, Any]) -> Feature:
    known = {field.name for field in fields(Feature)}
    if set(facts) | _ADDED != known:
        raise ConfigurationError(f"a feature has the facts {sorted(known)}, got {sorted(facts)}")
    tuples = {
        name: tuple(facts[name])
        for name in ("seen", "typical", "categories", "typical_days")
        if facts.get(name) is not None
    }
    feature = Feature(**{**facts, **tuples})
    _ = feature.rare_texts  # raises where they cannot be read
    if not _is_sound(feature):
        raise ConfigurationError(f"the facts of the feature {feature.name!r:.80} cannot be")
    return feature


def _is_sound(feature: Feature) -> bool:
    """Return whether each fact is of its type, finite, and possible beside the others."""
    texts = (feature.name, *feature.categories, *filter(None, (feature.unit,)))
    ranges = (feature.seen, feature.typical, feature.typical_days)
    bounds = [bound for bound in (feature.minimum, feature.maximum) if bound is not None]
    return (
        all(isinstance(text, str) for text in texts)
        and feature.name != ""
        and feature.kind in get_args(Kind)
        and isinstance(feature.nullable, bool)
        and all(is_range(pair) for pair in ranges if pair is not None)
        and all(map(is_finite, bounds))
        and bounds == sorted(bounds)
        and len(set(feature.categories)) == len(feature.categories)
        and is_finite(feature.central)
        and _is_possible(feature)
    )


def _is_possible(feature: Feature) -> bool:
    """Return whether the typical value can be one, and moments lie in the years 1 to 9999."""
    if feature.kind == "categorical":
        return feature.central in range(feature.pooled + 1)
    if feature.kind == "boolean":
        return feature.central in (0, 1)
    if feature.kind == "datetime":
        moments = (feature.central, *(feature.seen or ()), *(feature.typical or ()))
        return all(FIRST_MOMENT <= moment <= LAST_MOMENT for moment in moments)
    return True
