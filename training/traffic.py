"""Alerts a day, as alerts in 10,000 transactions: what a day's traffic is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.errors import ConfigurationError
from training.config import PolicyConfig
from training.data import Table
from training.split import Split
from training.thresholds import PER

DAY = 86_400  # seconds


def transactions_per_day(config: PolicyConfig, table: Table, parts: Split) -> float:
    """Return how many transactions a day brings.

    Stated in the configuration, or counted: the rows of the table from the first to the last of
    the rows that calibrate, over the days between them.

    Raises
    ------
    ConfigurationError
        If it is not stated, and there are no times or less than a day of them.
    """
    if config.transactions_per_day is not None:
        return config.transactions_per_day
    stated = "state policy.transactions_per_day"
    if table.times is None:
        raise ConfigurationError(f"alerts a day need a time column; without one {stated}")
    rows = parts.validation_b if parts.folds is None else parts.train
    first, last = table.times[rows].min(), table.times[rows].max()
    days = float(last - first) / DAY
    if days < 1:
        raise ConfigurationError(
            f"the rows that calibrate span {24 * days:.3g} hours, which does not show the traffic "
            f"of a day: {stated}"
        )
    return (int(np.sum((table.times >= first) & (table.times <= last))) - 1) / days


def as_alert_budget(config: PolicyConfig, per_day: float) -> PolicyConfig:
    """Return the configuration of so many alerts a day as one of alerts in 10,000 transactions.

    Raises
    ------
    ConfigurationError
        If more alerts are asked for than there are transactions.
    """
    asked = max(float(config.review or 0.0), float(config.block or 0.0))
    if asked > per_day:
        raise ConfigurationError(
            f"policy asks for {asked:g} alerts a day of {per_day:,.0f} transactions a day: where "
            "the table is a sample, state policy.transactions_per_day"
        )
    review, block = (
        PER * float(alerts or 0.0) / per_day for alerts in (config.review, config.block)
    )
    return replace(
        config, choose="alert_budget", review=review, block=block, transactions_per_day=None
    )
