"""Made-up tables for the tests of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from model.features import Feature, FeatureSpec
from training.data import Table

FIRST = pd.Timestamp("2026-01-05T00:00:00")


def mixed_frame(n_rows: int = 3000, seed: int = 0, fraud_share: float = 0.08) -> pd.DataFrame:
    """Return transactions with every kind of column, gaps, and frauds that can be learned."""
    rng = np.random.default_rng(seed)
    is_fraud = rng.random(n_rows) < fraud_share
    is_new = pd.Series(rng.random(n_rows) < np.where(is_fraud, 0.7, 0.1), dtype=object)
    merchant = rng.choice(["grocery", "travel", "games", "fuel"], n_rows)
    return pd.DataFrame(
        {
            "payment_id": [f"P{number:05d}" for number in range(n_rows)],
            "transaction_time": times(n_rows),
            "amount": np.round(rng.lognormal(3, 1, n_rows) * np.where(is_fraud, 3, 1), 2),
            "v1": rng.normal(size=n_rows) + 2 * is_fraud,
            "v2": np.where(rng.random(n_rows) < 0.1, np.nan, rng.normal(size=n_rows)),
            "merchant": pd.Series(merchant).where(rng.random(n_rows) > 0.05),
            "is_new_device": is_new.where(rng.random(n_rows) > 0.1, None),
            "constant": 1.0,
            "is_fraud": is_fraud.astype(int),
        }
    )


def times(n_rows: int) -> list[str]:
    """Return one ISO 8601 date-time every ten minutes."""
    moments = pd.date_range(FIRST, periods=n_rows, freq="10min")
    return moments.strftime("%Y-%m-%dT%H:%M:%S").tolist()


def numeric_table(labels: Any, times: Any = None, seed: int = 0) -> Table:
    """Return a table of one noisy feature with the given labels and times."""
    labels = None if labels is None else np.asarray(labels, np.int64)
    n_rows = len(times) if labels is None else len(labels)
    rng = np.random.default_rng(seed)
    return Table(
        source="made up",
        spec=FeatureSpec((Feature("v"),)),
        matrix=rng.normal(size=(n_rows, 1)),
        labels=labels,
        times=None if times is None else np.asarray(times, np.float64),
        digest="",
        notes=(),
    )


def plain_frame(n_rows: int = 40, **changes: Any) -> pd.DataFrame:
    """Return a small table with the usual names; a value of ``...`` drops the column."""
    columns = {
        "Time": np.arange(n_rows),
        "V1": np.linspace(-1, 1, n_rows),
        "Amount": np.linspace(1, 100, n_rows),
        "Class": np.arange(n_rows) % 4 == 0,
        **changes,
    }
    frame = pd.DataFrame({name: value for name, value in columns.items() if value is not ...})
    return frame.astype({"Class": int}) if "Class" in frame and "Class" not in changes else frame
