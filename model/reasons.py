"""Why a transaction scored as it did: contributions of the raw features, and stable codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from re import sub
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.cells import EPOCH
from model.features import Feature, FeatureSpec, Matrix
from model.network import Network
from model.preprocessing import Preprocessor

Array = NDArray[Any]

MOST_REASONS = 4  # more are "not likely to be helpful" (Regulation B, commentary to 9(b)(2))
Value = float | str | bool | None


@dataclass(frozen=True)
class Reason:
    """One feature's part in a score.

    Attributes
    ----------
    code : str
        Stable: the feature's name and what is special about its value (``V14_LOW``).
    feature : str
    value : float, str, bool or None
        As it was sent; None where it was missing, "other" for an unseen category.
    typical : tuple of float, str, bool or None
        The range, or the most frequent value, of legitimate rows.
    contribution : float
        In logits for the classifier; share of the reconstruction error for the autoencoder.
    """

    code: str
    feature: str
    value: Value
    typical: tuple[float, float] | Value
    contribution: float

    def to_dict(self) -> dict[str, Any]:
        """Return the reason as JSON types."""
        return asdict(self)


class Attribution:
    """DeepLIFT-Rescale contributions of raw features to a network's mean logit.

    One forward and one backward pass; the contributions of a row add up to the difference of its
    logit from that of the typical legitimate transaction (Shrikumar et al., 2017, eq. 1).

    Parameters
    ----------
    network : Network
        In float64, so that the sum is exact.
    preprocessor : Preprocessor
    spec : FeatureSpec
    """

    def __init__(self, network: Network, preprocessor: Preprocessor, spec: FeatureSpec) -> None:
        self._network = network
        self._preprocessor = preprocessor
        self._reference = preprocessor.transform(spec.central_row()).astype(np.float64)
        self._by_feature = grouping(preprocessor.sources, len(spec.features))

    def contributions(self, matrix: Matrix) -> Matrix:
        """Return what each raw feature adds to each row's logit, shape (n, F)."""
        encoded = self._preprocessor.transform(matrix).astype(np.float64)
        multipliers = self._network.multipliers(encoded, self._reference)
        if self._network.members is not None:
            multipliers = multipliers.mean(axis=0)
        difference = encoded - self._reference
        return np.asarray((multipliers * difference) @ self._by_feature)


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
    return [
        [
            describe(spec.features[column], float(matrix[row, column]), contributions[row, column])
            for column in columns
            if ranking[row, column] > 0
        ]
        for row, columns in enumerate(strongest.tolist())
    ]


def describe(feature: Feature, cell: float, contribution: float) -> Reason:
    """Return the reason for one cell of the raw matrix."""
    value, typical, quality = _DESCRIPTIONS[feature.kind](feature, cell)
    if np.isnan(cell):
        value, quality = None, "MISSING"
    code = sub(r"[^A-Z0-9]+", "_", feature.name.upper()).strip("_")
    return Reason(f"{code}_{quality}", feature.name, value, typical, float(contribution))


Description = tuple[Value, tuple[float, float] | Value, str]


def _numeric(feature: Feature, cell: float) -> Description:
    low, high = feature.typical or (cell, cell)
    quality = "LOW" if cell < low else "HIGH" if cell > high else "TYPICAL"
    return cell, feature.typical, quality


def _boolean(feature: Feature, cell: float) -> Description:
    return cell == 1, feature.central == 1, "TRUE" if cell == 1 else "FALSE"


def _categorical(feature: Feature, cell: float) -> Description:
    typical = _category(feature, feature.central)
    if np.isnan(cell):
        return None, typical, "MISSING"
    value = _category(feature, cell)
    quality = "OTHER" if cell >= feature.other else "TYPICAL" if value == typical else "UNUSUAL"
    return value, typical, quality


def _category(feature: Feature, cell: float) -> str:
    return feature.categories[int(cell)] if cell < feature.other else "other"


def _datetime(_feature: Feature, cell: float) -> Description:
    if np.isnan(cell):
        return None, None, "MISSING"
    return (EPOCH + timedelta(seconds=cell)).isoformat(), None, "CALENDAR"


_DESCRIPTIONS: dict[str, Callable[[Feature, float], Description]] = {
    "numeric": _numeric,
    "boolean": _boolean,
    "categorical": _categorical,
    "datetime": _datetime,
}
