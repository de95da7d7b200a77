"""What the name of a column says: the label, the time, the amount, a key, the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from training.errors import DataError

# Usual names, compared without case, spaces and underscores; the earlier wins.
LABELS = (
    "class",
    "is fraud",
    "fraud",
    "tx fraud",
    "fraud bool",
    "fraud flag",
    "fraud label",
    "fraudulent",
    "is fraudulent",
    "label",
    "target",
)
TIMES = (
    "time",
    "timestamp",
    "transaction time",
    "transaction date",
    "tx datetime",
    "trans date trans time",
    "purchase time",
    "transaction dt",
    "transaction timestamp",
    "tx timestamp",
    "event time",
    "event timestamp",
    "purchase date",
    "payment date",
    "payment time",
    "created at",
    "step",
    "month",
    "datetime",
    "date",
)
AMOUNTS = (
    "amount",
    "transaction amount",
    "tx amount",
    "transaction amt",
    "amt",
    "purchase value",
)
# Names that mean a time in a public table alone, which is known by another of its columns: hours
# since the start in PaySim, months since the start in the bank account fraud tables.
ONLY_BESIDE = {"step": "name orig", "month": "fraud bool"}

# Words of names. Whatever is made of words of parties and keys alone is the key of a party.
PARTIES = {
    *("customer", "cust", "client", "user", "member", "holder", "cardholder"),
    *("card", "cc", "pan", "iban", "account", "acct", "acc", "device", "ip", "email", "phone"),
    *("payer", "payee", "sender", "receiver", "recipient", "beneficiary", "orig", "dest"),
}
KEYS = {"id", "key", "no", "nr", "num", "number", "uuid", "guid", "ref", "reference"}
OF_KEYS = {*KEYS, "name", "address", "addr", "hash", "hashed", "token", "masked"}
ANSWERS = {"fraud", "fraudulent", "chargeback", "isfraud"}
OF_ANSWERS = {
    *("is", "tx", "was", "flag", "flagged", "scenario", "type", "kind", "label", "reported"),
    *("report", "confirmed", "detected", "reason", "bool", "code", "status", "date", "time"),
}


TIME_WORDS = {"time", "date", "timestamp", "datetime", "ts", "dt", "at", "epoch", "created"}


def is_time(name: str) -> bool:
    """Return whether a name is that of a time.

    >>> [is_time(name) for name in ("booked_at", "signupTime", "ts", "amount", "status")]
    [True, True, True, False, False]
    """
    return bool(TIME_WORDS.intersection(words_of(name)))


def find_column(
    names: Sequence[str], named: str | None, usual: Sequence[str], source: str
) -> str | None:
    """Return the column that is named, or the first that has a usual name; None if there is none.

    Raises
    ------
    DataError
        If the column that is named is not there.
    """
    if named is not None:
        if named not in names:
            raise DataError(source, f"there is no such column; there are {list(names)}", named)
        return named
    plain = {_plain(name): name for name in reversed(names)}
    for name in usual:
        beside = ONLY_BESIDE.get(name)
        if _plain(name) in plain and (beside is None or _plain(beside) in plain):
            return plain[_plain(name)]
    return None


def words_of(name: str) -> list[str]:
    """Return the words of a column's name.

    Examples
    --------
    >>> words_of("nameOrig"), words_of("TX_FRAUD_SCENARIO"), words_of("card1")
    (['name', 'orig'], ['tx', 'fraud', 'scenario'], ['card'])
    """
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())


def is_key(name: str) -> bool:
    """Return whether a name ends as those of keys do."""
    return bool(KEYS.intersection(words_of(name)[-1:]))


def is_party_key(name: str) -> bool:
    """Return whether a name is that of who takes part: a customer, a card, an account, a device.

    Examples
    --------
    >>> [is_party_key(name) for name in ("cc_num", "customer_id", "card1", "nameDest", "ip")]
    [True, True, True, True, True]
    >>> [is_party_key(name) for name in ("customer_age", "device_os", "trans_num", "id")]
    [False, False, False, False]
    """
    words = set(words_of(name))
    return bool(words & PARTIES) and words <= PARTIES | OF_KEYS


def is_answer(name: str) -> bool:
    """Return whether a name is that of what was found out about a fraud.

    Examples
    --------
    >>> [is_answer(name) for name in ("isFlaggedFraud", "TX_FRAUD_SCENARIO", "chargeback_date")]
    [True, True, True]
    >>> [is_answer(name) for name in ("merchant_fraud_rate", "type", "fraud_score")]
    [False, False, False]
    """
    words = set(words_of(name))
    return bool(words & ANSWERS) and words <= ANSWERS | OF_ANSWERS


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()
