"""Why a transaction scored as it did: contributions of the raw features, and stable codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from math import isnan, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.cells import DAY, EPOCH, FIRST_MOMENT, LAST_MOMENT
from model.chunks import chunks
from model.features import Feature, FeatureSpec, Matrix
from model.first_layer import CHUNK_ROWS, FirstLayer
from model.mlp import MLP
from model.preprocessing import Preprocessor

Array = NDArray[Any]

MOST_REASONS = 4  # more are "not likely to be helpful" (Regulation B, commentary to 9(b)(2))
Value = float | str | bool | None
Typical = tuple[float, float] | tuple[str, str] | Value


@dataclass(frozen=True)
class Reason:
    """One feature's part in a score.

    Attributes
    ----------
    code : str
        Stable: the feature's name and what its value is beside that of the typical legitimate
        transaction, which contributions start from: ``V14_LOW`` is below it, ``V14_HIGH`` above,
        in the typical range or out of it. ``…_COMBINATION`` is the typical value itself, unusual
        only beside the others: it is a reason for the autoencoder, never for the classifier.
        A birth, a sign-up or an expiry is ``EARLY`` or ``LATE`` for a transaction of its time, or
        else a ``DATE``; a transaction's own time is told by its ``CALENDAR``.
    feature : str
    value : float, str, bool or None
        As it was sent; None where it was missing, "other" for an unseen or a rare category.
    typical : tuple of float or str, float, str, bool or None
        The range, or the most frequent value, of legitimate rows; of a date the range at the time
        of this transaction.
    contribution : float
        In logits for the classifier; share of the reconstruction error for the autoencoder.
    """

    code: str
    feature: str
    value: Value
    typical: Typical
    contribution: float

    def to_dict(self) -> dict[str, Any]:
        """Return the reason as JSON types."""
        return asdict(self)


class Attribution:
    """DeepLIFT-Rescale contributions of raw features to a network's mean logit.

    The contributions of a row add up to the difference of its logit from that of the typical
    legitimate transaction (Shrikumar et al., 2017, eq. 1). All that comes before the first
    activation is linear, so one pass back to the first layer's pre-activations is enough: what a
    feature adds to them, weighted with their multipliers, is its contribution.

    Parameters
    ----------
    mlp : MLP
        Computed with in float64, so that the sum is exact.
    preprocessor : Preprocessor
    spec : FeatureSpec
    """

    def __init__(self, mlp: MLP, preprocessor: Preprocessor, spec: FeatureSpec) -> None:
        self._network = mlp.astype(np.float64)
        self._layer = FirstLayer(mlp, preprocessor, np.float64, spec.central_row())
        self._by_feature = grouping(self._layer.sources, len(spec.features))
        self._reference = self._layer.by_member(self._layer.at_origin)  # (K, 1, H)

    def contributions(self, matrix: Matrix) -> Matrix:
        """Return what each raw feature adds to each row's logit, shape (n, F)."""
        if len(matrix) <= CHUNK_ROWS:
            return self._contributions(matrix)
        parts = [self._contributions(matrix[rows]) for rows in chunks(len(matrix), CHUNK_ROWS)]
        return np.concatenate(parts)

    def _contributions(self, matrix: Matrix) -> Matrix:
        layer = self._layer
        inputs = layer.inputs(matrix)
        Z = layer.by_member(layer.forward(inputs))  # (K, n, H)
        multipliers = self._network.multipliers(Z, self._reference)
        multipliers = layer.joined(multipliers) / len(Z)  # of the members' mean
        return np.asarray(layer.split(inputs, multipliers) @ self._by_feature)


def grouping(sources: NDArray[np.intp], n_features: int) -> Matrix:
    """Return the 0/1 matrix that adds up encoded columns by raw feature, shape (E, F)."""
    return np.equal.outer(sources, np.arange(n_features)).astype(np.float64)


def top_reasons(
    spec: FeatureSpec, matrix: Matrix, contributions: Matrix, ranking: Matrix
) -> list[list[Reason]]:
    """Return the strongest reasons of each row, strongest first.

    Parameters
    ----------
    spec : FeatureSpec
    matrix : ndarray (n, F)
        Raw rows.
    contributions : ndarray (n, F)
    ranking : ndarray (n, F)
        Larger is stronger; values of zero and less are no reasons.
    """
    strongest = np.argsort(-ranking, axis=1, kind="stable")[:, :MOST_REASONS]
    tables = (np.take_along_axis(table, strongest, 1) for table in (matrix, contributions, ranking))
    moments = spec.moments(matrix).tolist() if spec.dates else [nan] * len(matrix)
    return [
        [
            describe(spec.features[column], cell, contribution, moment)
            for column, cell, contribution, strength in zip(*row, strict=True)
            if strength > 0
        ]
        for moment, *row in zip(
            moments, strongest.tolist(), *(table.tolist() for table in tables), strict=True
        )
    ]


def describe(feature: Feature, cell: float, contribution: float, moment: float = nan) -> Reason:
    """Return the reason for one cell of the raw matrix.

    Parameters
    ----------
    feature : Feature
    cell, contribution : float
    moment : float
        The time of the transaction.
    """
    value, typical, quality = _DESCRIPTIONS[feature.kind](feature, cell, moment)
    if isnan(cell):
        value, quality = None, "MISSING"
    return Reason(f"{feature.code}_{quality}", feature.name, value, typical, float(contribution))


Description = tuple[Value, Typical, str]


def _numeric(feature: Feature, cell: float, _moment: float) -> Description:
    central = feature.central
    quality = "LOW" if cell < central else "HIGH" if cell > central else "COMBINATION"
    return cell, feature.typical, quality


def _boolean(feature: Feature, cell: float, _moment: float) -> Description:
    return cell == 1, feature.central == 1, "TRUE" if cell == 1 else "FALSE"


def _categorical(feature: Feature, cell: float, _moment: float) -> Description:
    typical = _category(feature, feature.central)
    if isnan(cell):
        return None, typical, "MISSING"
    value = _category(feature, cell)
    quality = "COMBINATION" if value == typical else "UNUSUAL"
    return value, typical, "OTHER" if cell >= feature.other else quality


def _category(feature: Feature, cell: float) -> str:
    return feature.categories[int(cell)] if cell < feature.other else "other"


def _datetime(feature: Feature, cell: float, moment: float) -> Description:
    if isnan(cell):
        return None, None, "MISSING"
    if feature.typical_days is None:
        return _date_time(cell), None, "CALENDAR"
    if isnan(moment):
        return _date_time(cell), None, "DATE"
    last, first = (moment - days * DAY for days in feature.typical_days)
    quality = "EARLY" if cell < first else "LATE" if cell > last else "DATE"
    return _date_time(cell), (_date_time(first), _date_time(last)), quality


def _date_time(seconds: float) -> str:
    # An offset or a rounded fraction of a second may carry a moment out of these years.
    seconds = min(max(seconds, FIRST_MOMENT), LAST_MOMENT)
    return (EPOCH + timedelta(seconds=seconds)).isoformat()


_DESCRIPTIONS: dict[str, Callable[[Feature, float, float], Description]] = {
    "numeric": _numeric,
    "boolean": _boolean,
    "categorical": _categorical,
    "datetime": _datetime,
}
