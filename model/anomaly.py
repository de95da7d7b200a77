"""From a reconstruction error to an anomaly score, measured on legitimate validation rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import ConfigurationError
from model.plausible import are_finite, is_ascending, is_rising

Array = NDArray[Any]

MOST_KNOTS = 1000


@dataclass(frozen=True)
class AnomalyScale:
    """The distribution of legitimate errors, and where anomalies begin.

    Attributes
    ----------
    errors, shares : tuple of float
        Knots of the distribution function of legitimate errors, both ascending.
    threshold : float
        Reconstruction error above which a transaction is called an anomaly.
    """

    errors: tuple[float, ...]
    shares: tuple[float, ...]
    threshold: float

    def __post_init__(self) -> None:
        if not are_finite((*self.errors, *self.shares, self.threshold)):
            raise ConfigurationError("an anomaly scale holds a value that is no finite number")
        if (
            not self.errors
            or len(self.errors) != len(self.shares)
            or not is_ascending((0.0, *self.errors) if self.errors[0] else self.errors)
            or not is_rising((0.0, *self.shares, 1.0))
            or self.threshold < 0
        ):
            raise ConfigurationError(
                "an anomaly scale's errors ascend from 0, with a share from 0 to 1 that rises at "
                "each, and its threshold is an error"
            )

    @classmethod
    def fit(cls, legitimate_errors: Array, quantile: float) -> AnomalyScale:
        """Measure legitimate rows that the autoencoder was not trained on.

        Parameters
        ----------
        legitimate_errors : ndarray (n,)
        quantile : float
            Share of them below the threshold, in [0, 1].

        Raises
        ------
        ConfigurationError
            If there are no rows or the quantile is out of range.
        """
        errors = np.sort(np.asarray(legitimate_errors, np.float64))
        if not len(errors) or not 0 <= quantile <= 1:
            raise ConfigurationError(
                f"the anomaly score needs legitimate rows and a quantile, got {len(errors)} rows, "
                f"{quantile=}"
            )
        # ranks 0 … n, denser towards the top, where the decisions are
        below = len(errors) - np.geomspace(1, len(errors) + 1, MOST_KNOTS).round() + 1
        ranks = np.unique(np.clip(below, 0, len(errors) - 1).astype(np.int64))
        knots, first = np.unique(errors[ranks], return_index=True)
        shares = ranks[first] / len(errors)
        return cls(
            tuple(knots.tolist()),
            tuple(shares.tolist()),
            float(np.interp(quantile, shares, knots)),  # where the score is the quantile
        )

    @cached_property
    def _curve(self) -> tuple[Array, Array]:
        return np.array(self.errors), np.array(self.shares)

    def score(self, errors: Array) -> Array:
        """Return the share of legitimate validation rows with a smaller error."""
        return np.interp(errors, *self._curve, right=1.0)

    def is_anomaly(self, errors: Array) -> NDArray[np.bool_]:
        """Return whether each error lies above the threshold."""
        return np.asarray(errors > self.threshold)

    def to_dict(self) -> dict[str, Any]:
        """Return the scale as JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> AnomalyScale:
        """Rebuild a scale.

        Raises
        ------
        ConfigurationError
            If the facts are not those of a scale.
        """
        try:
            lists = {name: tuple(facts[name]) for name in ("errors", "shares")}
            return cls(**{**facts, **lists})
        except (KeyError, TypeError) as error:
            raise ConfigurationError(f"not an anomaly scale: {error}") from None
