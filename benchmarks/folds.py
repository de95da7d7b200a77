"""Weeks of the Fraud Detection Handbook's simulated transactions, as the book divides them.

Seven days to train on, seven days in which labels are still unknown, seven days to test on (Le
Borgne, Siblini, Lebichot and Bontempi, *Reproducible Machine Learning for Credit Card Fraud
Detection – Practical Handbook*, chapter 5). A card is blocked once its fraud is known, so the test
days do not contain it any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FEATURES = (
    "TX_AMOUNT",
    "TX_DURING_WEEKEND",
    "TX_DURING_NIGHT",
    *(
        f"CUSTOMER_ID_{what}_{days}DAY_WINDOW"
        for what in ("NB_TX", "AVG_AMOUNT")
        for days in (1, 7, 30)
    ),
    *(f"TERMINAL_ID_{what}_{days}DAY_WINDOW" for what in ("NB_TX", "RISK") for days in (1, 7, 30)),
)
LABEL, TIME, AMOUNT, CARD = "TX_FRAUD", "TX_DATETIME", "TX_AMOUNT", "CUSTOMER_ID"

# first days of training weeks; parameters are chosen on the validation weeks alone
TEST_WEEKS = ("2018-08-15", "2018-08-08", "2018-08-01", "2018-07-25")
VALIDATION_WEEKS = ("2018-07-11", "2018-07-04", "2018-06-27", "2018-06-20")
WEEK, DELAY = 7, 7  # days

KNOWN_WEEK = "2018-07-25"
KNOWN_COUNTS = (67_240, 598, 58_264, 385)  # its rows and frauds, to train on and to test on

ALERTS = 100  # cards looked at in a day


@dataclass(frozen=True)
class Fold:
    """One training week and the test days that come two weeks after its start.

    Attributes
    ----------
    start : str
        First day of the training week.
    train, test : DataFrame
        The 15 features, label, time and card.
    """

    start: str
    train: pd.DataFrame
    test: pd.DataFrame

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Rows and frauds of the training week, rows and frauds of the test days."""
        return (
            len(self.train),
            int(self.train[LABEL].sum()),
            len(self.test),
            int(self.test[LABEL].sum()),
        )


def read_transactions(path: Path) -> pd.DataFrame:
    """Return the transactions with the columns that a fold has, in order of time."""
    return pd.read_parquet(path, columns=[*FEATURES, LABEL, TIME, CARD])


def fold(transactions: pd.DataFrame, start: str) -> Fold:
    """Return the fold whose training week begins on a day, "YYYY-MM-DD".

    On test day k (0 to 6) the cards are missing that had a fraud in the training week, or on a day
    up to the training week's last but one plus k: later labels are not known yet on that day.

    Raises
    ------
    ValueError
        If the counts of a fold are known and these are others.
    """
    day = (transactions[TIME] - pd.Timestamp(start)) // pd.Timedelta(days=1)
    train = transactions[day.between(0, WEEK - 1)]
    card, is_fraud = transactions[CARD], transactions[LABEL] == 1
    blocked = set(train[CARD][train[LABEL] == 1])
    days = []
    for number in range(WEEK):
        blocked |= set(card[is_fraud & (day == WEEK - 1 + number)])
        today = transactions[day == WEEK + DELAY + number]
        days.append(today[~today[CARD].isin(blocked)])
    result = Fold(start, train, pd.concat(days))
    if start == KNOWN_WEEK and result.counts != KNOWN_COUNTS:
        raise ValueError(f"fold {start} has {result.counts}, expected {KNOWN_COUNTS}")
    return result


def card_precision(test: pd.DataFrame, score: NDArray[np.float64], alerts: int = ALERTS) -> float:
    """Return the card precision top-k: compromised cards among the k looked at, mean over days.

    A card has its highest score of the day, and is compromised if any of its transactions that day
    is a fraud. Compromised cards that were found are blocked: later days are counted without them.
    """
    scored = test.assign(score=score, day=test[TIME].dt.normalize())
    found: set[int] = set()
    precisions = []
    for _, today in scored.groupby("day"):
        cards = today[~today[CARD].isin(found)].groupby(CARD)[["score", LABEL]].max()
        first = cards.sort_values("score", ascending=False, kind="stable").head(alerts)
        compromised = first.index[first[LABEL] == 1]
        precisions.append(len(compromised) / alerts)
        found |= set(compromised)
    return float(np.mean(precisions))
