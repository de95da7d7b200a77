"""The built-in data set: readable card transactions with rare fraud of several kinds.

Every transaction follows one :class:`Behaviour`, a way of paying: when, where, how, how much. Each
kind of fraud in ``FRAUD`` has look-alikes in ``LEGITIMATE`` that share most of its traits
(travellers, gift shoppers, bursts of small purchases, new phones), and the kinds pull in opposite
directions (tiny and large amounts, new and old cards). What betrays a fraud is the combination of
its traits: no column does alone, and a weighted sum of columns does poorly.

Cards are not followed through time: each row carries its own recent activity, as a payment
processor would attach it. Which behaviour it follows stays out of the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.errors import ConfigurationError

FRAUD_RATE = 0.005
FIRST_DAY, DAYS = "2025-03-03", 90  # from a Monday on
OLDEST_CARD_DAYS = 3_650
WEEK = (1.0, 0.95, 1.0, 1.05, 1.2, 1.3, 0.8)  # payments per day, Monday to Sunday

Array = NDArray[Any]
Spread = tuple[float, float]  # log-normal: median, standard deviation of the logarithm
Kind = Literal["identifier", "datetime", "numeric", "categorical", "boolean", "label"]


@dataclass(frozen=True)
class Column:
    """What a column of the table holds."""

    kind: Kind
    unit: str | None
    description: str


COLUMNS: Mapping[str, Column] = {
    "transaction_id": Column("identifier", None, "unique, rising with time"),
    "transaction_time": Column("datetime", "local time", "when the payment was authorised"),
    "amount": Column("numeric", "EUR", "amount of the payment"),
    "merchant_category": Column("categorical", None, "what is sold; sometimes missing"),
    "country": Column("categorical", "ISO 3166", "of the merchant; DE is home"),
    "channel": Column("categorical", None, "pos, contactless, wallet, online or atm"),
    "card_age_days": Column("numeric", "d", "since the card was issued; sometimes missing"),
    "distance_from_home_km": Column("numeric", "km", "to the terminal; online always missing"),
    "transactions_last_24h": Column("numeric", "count", "earlier payments with this card"),
    "amount_ratio_to_30d_average": Column("numeric", "ratio", "missing in a card's first month"),
    "seconds_since_last_transaction": Column("numeric", "s", "missing for a card's first payment"),
    "is_new_device": Column("boolean", None, "first seen today; missing where a card was used"),
    "is_fraud": Column("label", None, "1 is fraud, 0 is legitimate"),
}


@dataclass(frozen=True)
class Behaviour:
    """A way of paying; the defaults are an ordinary holder's."""

    share: float  # of all legitimate, or of all fraudulent payments
    channels: tuple[float, ...] = (0.28, 0.34, 0.14, 0.20, 0.04)  # weights of CHANNELS
    hours: tuple[float, float] = (14.5, 3.8)  # of the day: mean and deviation, wrapped
    amount: Spread = (1.0, 0.6)  # factor on the merchant's usual amount
    gap: Spread = (12.0, 1.3)  # hours since the last payment
    pace: float = 1.2  # mean of the further payments in 24 hours
    card_age: Spread = (600.0, 0.8)  # days
    abroad: float = 0.015  # probability
    new_device: float = 0.03  # probability
    distance: Spread = (5.0, 1.2)  # km, unless abroad
    favourites: Mapping[str, float] = field(default_factory=dict)  # factors on popularity


# fmt: off
CHANNELS = ("pos", "contactless", "wallet", "online", "atm")
SHOP = "pos contactless wallet online"
MERCHANTS: Mapping[str, tuple[float, float, str]] = {  # usual amount (EUR), popularity, channels
    "groceries": (32, 0.26, SHOP), "restaurants": (28, 0.15, SHOP), "transport": (9, 0.10, SHOP),
    "clothing": (60, 0.08, SHOP), "electronics": (140, 0.04, SHOP), "travel": (180, 0.03, SHOP),
    "entertainment": (22, 0.06, SHOP), "health": (26, 0.06, SHOP), "jewellery": (160, 0.01, SHOP),
    "home_and_garden": (70, 0.05, SHOP), "fuel": (55, 0.08, "pos contactless wallet"),
    "digital_services": (11, 0.06, "online"), "gambling": (45, 0.02, "online"),
    "cash": (120, 1.0, "atm"),
}
HOME = "DE"
ABROAD: Mapping[str, tuple[float, float]] = {  # share of the payments abroad, distance (km)
    "FR": (0.20, 800), "ES": (0.15, 1600), "IT": (0.15, 1000), "GB": (0.15, 850),
    "PL": (0.10, 600), "TR": (0.08, 2100), "US": (0.12, 6900), "TH": (0.05, 8800),
}
LUXURY = {"electronics": 12.0, "jewellery": 25.0, "travel": 4.0}
SMALL_GOODS = {"digital_services": 15.0, "entertainment": 3.0, "transport": 2.0}
DINING = {"restaurants": 30.0, "health": 15.0}
ONLINE = (0, 0, 0, 1, 0)
LEGITIMATE: Mapping[str, Behaviour] = {
    "everyday": Behaviour(0.60),
    "night_owl": Behaviour(0.06, (0.2, 0.2, 0.15, 0.4, 0.05), hours=(1.5, 2)),
    "subscription_burst": Behaviour(0.05, ONLINE, amount=(0.3, 0.8), gap=(0.05, 1.1), pace=7,
                                    favourites=SMALL_GOODS),
    "new_phone": Behaviour(0.04, (0, 0, 0.3, 0.7, 0), card_age=(900, 0.7), new_device=0.9),
    "gift_shopper": Behaviour(0.06, amount=(2, 0.6), gap=(0.5, 1), pace=5, card_age=(900, 0.7),
                              favourites=LUXURY),
    "big_purchase": Behaviour(0.04, (0.3, 0.1, 0.1, 0.5, 0), amount=(3, 0.6), gap=(40, 0.9),
                              favourites=LUXURY),
    "traveller": Behaviour(0.07, (0.35, 0.3, 0.1, 0.05, 0.2), gap=(4, 1.1), pace=5, abroad=0.95),
    "new_customer": Behaviour(0.06, gap=(30, 1.2), pace=0.5, card_age=(45, 0.7), new_device=0.25),
    "late_diner": Behaviour(0.02, (0.4, 0.4, 0.2, 0, 0), hours=(22.5, 1.2), favourites=DINING),
}
FRAUD: Mapping[str, Behaviour] = {
    # Many tiny payments in a row, to see which stolen numbers work.
    "card_testing": Behaviour(0.22, ONLINE, hours=(12, 9), amount=(0.15, 0.6), gap=(0.02, 0.8),
                              pace=11, abroad=0.5, new_device=0.85, favourites=SMALL_GOODS),
    # A stranger signs in at night and buys what resells; an old card, long quiet.
    "account_takeover": Behaviour(0.22, ONLINE, hours=(2.5, 2), amount=(2.5, 0.5), gap=(40, 0.9),
                        pace=0.8, card_age=(1000, 0.6), new_device=0.93, favourites=LUXURY),
    # A copy pays or draws cash abroad, soon after its owner paid at home.
    "cloned_card": Behaviour(0.18, (0.4, 0, 0, 0, 0.6), amount=(1.6, 0.5), gap=(0.4, 0.8),
                             pace=0.4, abroad=0.97),
    # A new card is spent to its limit and never paid back.
    "bust_out": Behaviour(0.18, (0.35, 0.15, 0.15, 0.35, 0), amount=(2.8, 0.4), gap=(0.5, 0.7),
                          pace=6, card_age=(50, 0.45), favourites=LUXURY),
    # A merchant books invented bills after closing time, all of about the same size.
    "merchant_collusion": Behaviour(0.14, (0.8, 0.2, 0, 0, 0), hours=(23, 1.3), amount=(3.2, 0.15),
                                    gap=(30, 1), distance=(40, 0.5), favourites=DINING),
    # A thief taps on below the limit for payments without a PIN: hardly to be told apart.
    "stolen_card": Behaviour(0.06, (0.1, 0.9, 0, 0, 0), amount=(1.2, 0.4), gap=(1, 1.2),
                             distance=(15, 1)),
}
# fmt: on


def simulate(n_transactions: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw card transactions of 90 days, sorted by time, 0.5 % of them fraud.

    Parameters
    ----------
    n_transactions : int
        At least 200; about 100,000 are enough to learn every kind of fraud from.
    rng : numpy.random.Generator
        The same state gives the same table.

    Returns
    -------
    DataFrame (n_transactions, 13)
        The columns of ``COLUMNS``, in that order.

    Raises
    ------
    ConfigurationError
        If there are too few transactions for one fraud.
    """
    return simulate_with_behaviours(n_transactions, rng)[0]


def simulate_with_behaviours(
    n_transactions: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.Series]:
    """Draw as :func:`simulate` does; return also the behaviour behind each row.

    Returns
    -------
    frame : DataFrame (n_transactions, 13)
    behaviours : Series (n_transactions,) of str
        Keys of ``LEGITIMATE`` and ``FRAUD``. Never a feature: it is the answer.
    """
    n, fewest = n_transactions, round(1 / FRAUD_RATE)
    if n < fewest:
        raise ConfigurationError(f"n_transactions must be at least {fewest} for one fraud, got {n}")
    behaviours = (*LEGITIMATE.values(), *FRAUD.values())
    # Frauds are spread evenly: every part of a split by time has its share.
    n_fraud = round(n * FRAUD_RATE)
    is_fraud = np.zeros(n, bool)
    is_fraud[((np.arange(n_fraud) + rng.random(n_fraud)) * n / n_fraud).astype(int)] = True
    legitimate = _choose([one.share for one in LEGITIMATE.values()], rng.random(n))
    fraud = len(LEGITIMATE) + _choose([one.share for one in FRAUD.values()], rng.random(n))
    followed = np.where(is_fraud, fraud, legitimate)

    def trait(name: str) -> Array:
        return np.array([getattr(one, name) for one in behaviours], float)[followed].T

    def chance(probability: float | Array) -> Array:
        return rng.random(n) < probability

    def spread(median: float | Array, deviation: float | Array) -> Array:
        return median * np.exp(deviation * rng.standard_normal(n))

    day = _choose(np.resize(WEEK, DAYS), (np.arange(n) + 0.5) / n)
    mean, deviation = trait("hours")
    hour = (mean + deviation * rng.standard_normal(n)) % 24
    time = (86_400 * day + 3_600 * hour).astype(np.int64)
    channel_code = _choose(trait("channels").T, rng.random(n))
    channel = _texts(CHANNELS, channel_code)
    merchant = _choose(_merchant_weights(behaviours)[followed, channel_code], rng.random(n))
    abroad_share, abroad_km = np.array([*ABROAD.values()], float).T
    is_abroad, country = chance(trait("abroad")), _choose(abroad_share, rng.random(n))
    home_km, foreign_km = spread(*trait("distance")), spread(abroad_km[country], 0.15)
    distance = np.where(is_abroad, foreign_km, home_km).round(1)

    age = np.minimum(np.ceil(spread(*trait("card_age"))), OLDEST_CARD_DAYS)
    gap = np.ceil(3_600 * spread(*trait("gap")))
    count = np.where(gap < 86_400, 1 + rng.poisson(trait("pace")), 0)
    # Holders spend in proportion to their means; fraudsters do not know them.
    average = spread(40, 0.6)
    usual = np.array([amount for amount, _, _ in MERCHANTS.values()])[merchant]
    amount = usual * spread(*trait("amount")) * np.where(is_fraud, 1, (average / 40) ** 0.8)
    cash = np.maximum(10 * np.round(amount / 10), 10)
    amount = np.where(channel == "atm", cash, np.maximum(np.round(amount, 2), 0.5))

    is_online, has_device = channel == "online", channel.isin(["online", "wallet"])
    is_new_device = pd.Series(chance(trait("new_device")), dtype="boolean")
    values = {
        "transaction_time": pd.Timestamp(FIRST_DAY) + pd.to_timedelta(time, unit="s"),
        "amount": amount,
        "merchant_category": _texts(MERCHANTS, merchant).mask(chance(0.01)),
        "country": _texts(ABROAD, country).where(is_abroad, HOME),
        "channel": channel,
        "card_age_days": np.where(chance(0.01), np.nan, age),
        "distance_from_home_km": np.where(is_online | chance(0.02), np.nan, distance),
        "transactions_last_24h": count,
        "amount_ratio_to_30d_average": np.where(age < 30, np.nan, (amount / average).round(3)),
        "seconds_since_last_transaction": np.where(gap > 86_400 * age, np.nan, gap),
        "is_new_device": is_new_device.where(has_device & ~chance(0.03)),
        "is_fraud": is_fraud.astype(np.int64),
    }
    order = np.argsort(time, kind="stable")
    frame = pd.DataFrame(values).iloc[order].reset_index(drop=True)
    frame.insert(0, "transaction_id", [f"T{number:07d}" for number in range(n)])
    return frame, _texts([*LEGITIMATE, *FRAUD], followed[order])


def _merchant_weights(behaviours: Iterable[Behaviour]) -> Array:
    """Return weights (behaviours, channels, merchants): what is liked, and where it is sold."""
    _, popularity, channels = zip(*MERCHANTS.values(), strict=True)
    liked = [[one.favourites.get(name, 1.0) for name in MERCHANTS] for one in behaviours]
    accepted = [[channel in names.split() for names in channels] for channel in CHANNELS]
    return np.array(liked)[:, None, :] * accepted * popularity


def _choose(weights: Any, uniform: Array) -> Array:
    """Pick an index per row by its weights, inverting uniform numbers from [0, 1)."""
    edges = np.cumsum(weights, axis=-1)
    return np.sum(uniform[:, None] >= edges / edges[..., -1:], axis=-1)


def _texts(names: Iterable[str], codes: Array) -> pd.Series:
    return pd.Series(np.array(list(names), dtype=object)[codes], dtype=object)
