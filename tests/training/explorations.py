"""Tables to explore, and what is found out of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from training.config_file import load_config
from training.explore import exploration_facts
from training.explore.survey import Survey, survey_source
from training.tables.source import FrameSource

START = pd.Timestamp("2026-03-02")  # a Monday


def payments(n_rows: int = 1200, seed: int = 0, fraud_share: float = 0.15) -> pd.DataFrame:
    """Return payments of every kind of column, with gaps, ties, and frauds that can be told."""
    rng = np.random.default_rng(seed)
    is_fraud = rng.random(n_rows) < fraud_share
    return pd.DataFrame(
        {
            "payment_ref": [f"P{number:06d}" for number in range(n_rows)],
            "when": pd.date_range(START, periods=n_rows, freq="37min"),
            "amount": np.round(rng.lognormal(3, 1.2, n_rows) * np.where(is_fraud, 2, 1), 2),
            "signal": rng.normal(size=n_rows) + 1.2 * is_fraud,
            "noise": rng.normal(size=n_rows),
            "gaps": np.where(rng.random(n_rows) < 0.2, np.nan, rng.normal(size=n_rows)),
            "count": rng.poisson(2 + 2 * is_fraud),
            "channel": rng.choice(["online", "shop", "atm"], n_rows, p=[0.5, 0.4, 0.1]),
            "city": pd.Series(rng.choice(["Köln", "Bonn", "Ulm"], n_rows)).where(
                rng.random(n_rows) > 0.1
            ),
            "is_new": rng.random(n_rows) < np.where(is_fraud, 0.6, 0.2),
            "fraud": is_fraud.astype(int),
        }
    )


class ChunkedFrame(FrameSource):
    """A frame that is read in chunks of so many rows, however many are asked for."""

    def __init__(self, frame: pd.DataFrame, size: int) -> None:
        super().__init__(frame, "payments.csv")
        self._size = max(size, 1)

    def batches(self, _rows):
        """Yield the chunks."""
        return super().batches(self._size)


def surveyed(frame: pd.DataFrame, rows: int | None = None, seed: int = 0, **data: Any) -> Survey:
    """Return the survey of a frame that is read in chunks of so many rows."""
    source = ChunkedFrame(frame.reset_index(drop=True), rows or len(frame))
    config = load_config(None, {"data": {"path": "payments.csv", **data}})
    return survey_source(source, config.data, seed)


def explored(frame: pd.DataFrame, rows: int | None = None, seed: int = 0, **data: Any) -> dict:
    """Return the facts of a frame that is read in chunks of so many rows."""
    config = load_config(None, {"data": {"path": "payments.csv", **data}, "name": "payments"})
    return exploration_facts(surveyed(frame, rows, seed, **data), config)


def column(facts: dict, name: str) -> dict:
    """Return what is told of a column."""
    return next(own for own in facts["columns"] if own["name"] == name)


SMALL = payments(60).drop(columns=["noise", "gaps", "count", "channel", "is_new"])
DEGENERATE = {
    "no fraud": SMALL.assign(fraud=0),
    "nothing but fraud": SMALL.assign(fraud=1),
    "one fraud": SMALL.assign(fraud=np.arange(60) == 7),
    "labels that are none": SMALL.assign(fraud="maybe"),
    "some labels missing": SMALL.assign(fraud=lambda own: own["fraud"].where(own.index % 3 > 0)),
    "one category": SMALL.assign(city="Ulm"),
    "constant columns": SMALL.assign(signal=0.0, amount=5, city="Ulm"),
    "all missing": SMALL.assign(signal=np.nan, amount=np.nan, city=None),
    "nothing at all": pd.DataFrame({"amount": [None] * 3, "fraud": [None] * 3}),
    "one row": SMALL[:1],
    "labels alone": SMALL[["fraud"]],
    "one moment": SMALL.assign(when=SMALL["when"][0]),
    "no finite number": SMALL.assign(signal=np.inf),
    "numbers too large to square": SMALL.assign(signal=SMALL["signal"] * 1e300),
    "refunds": SMALL.assign(amount=-SMALL["amount"]),
    "names that are markup": SMALL.rename(columns={"signal": "<b>$x_1$ & 2/3~"}),
    "categories that are markup": SMALL.assign(city=np.where(SMALL["fraud"], "<script>", "$a_b$")),
}
