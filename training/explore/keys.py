"""Which columns are keys: of transactions, which all differ, or of customers, which come again."""

from __future__ import annotations

from typing import Any

from training.categories import MOST_CATEGORIES
from training.column_names import is_key, is_party_key, words_of

Facts = dict[str, Any]

CODES = {"code", "mcc", "zip", "postcode"}  # last words of their names
MOST_MISSING = 0.1  # of the rows: those without an id
ALL_NUMBERS = 0.99  # of the sampled values are different: an id
NEARLY_ALL = 0.9  # of the sampled values are different: a counter


def identifier(facts: Facts) -> str | None:
    """Return the column that tells transactions apart where none is named.

    No value comes twice in it, and it is not named as the key of a customer: the same customer may
    come again tomorrow.
    """
    if facts["data"]["id"] is not None:
        return None
    suspect = {own["column"] for own in facts["suspects"]}
    found = [
        column
        for column in facts["columns"]
        if not column["role"]
        and column["name"] not in suspect
        and (column["kind"] == "identifier" or _is_numeric_key(column))
        and not is_party_key(column["name"])
        and _is_unique(column, facts)
    ]
    found.sort(key=lambda column: (column["kind"] != "identifier", not is_key(column["name"])))
    return found[0]["name"] if found else None


def party_keys(facts: Facts) -> list[str]:
    """Return the columns that hold the keys of customers, cards, accounts or devices."""
    return [
        column["name"]
        for column in facts["columns"]
        if column["kind"] in ("identifier", "categorical", "numeric")
        and not column["role"]
        and is_party_key(column["name"])
        and column["distinct"] > MOST_CATEGORIES
    ]


def counters(facts: Facts) -> list[str]:
    """Return the columns of numbers, named as keys, that differ in nearly every row."""
    return [c["name"] for c in _numeric_keys(facts) if _is_counter(c, facts)]


def long_keys(facts: Facts) -> list[str]:
    """Return the columns of numbers, named as keys, that are too many to be categories."""
    return [
        column["name"]
        for column in _numeric_keys(facts)
        if column["distinct"] > MOST_CATEGORIES and not _is_counter(column, facts)
    ]


def codes(facts: Facts) -> list[str]:
    """Return the columns of numbers that are categories by their names."""
    short = [
        column["name"]
        for column in _numeric_keys(facts)
        if column["distinct"] <= MOST_CATEGORIES and not _is_counter(column, facts)
    ]
    coded = [
        column["name"]
        for column in _plain_numbers(facts)
        if CODES.intersection(words_of(column["name"])[-1:])
    ]
    return [c["name"] for c in facts["columns"] if c["name"] in {*short, *coded}]


def _plain_numbers(facts: Facts) -> list[Facts]:
    return [c for c in facts["columns"] if c["kind"] == "numeric" and not c["role"]]


def _numeric_keys(facts: Facts) -> list[Facts]:
    """Return the columns of numbers that are named as keys and play no other part."""
    apart = {identifier(facts), *party_keys(facts)}
    return [c for c in _plain_numbers(facts) if is_key(c["name"]) and c["name"] not in apart]


def _is_numeric_key(column: Facts) -> bool:
    return column["kind"] == "numeric" and is_key(column["name"])


def _is_counter(column: Facts, facts: Facts) -> bool:
    return bool(column["distinct"] >= NEARLY_ALL * facts["sample"]["rows"])


def _is_unique(column: Facts, facts: Facts) -> bool:
    """Return whether no two rows share a value, but for rows that are there twice.

    Of numbers hardly any: as floats, long ones that are neighbours are the same.
    """
    is_text = column["kind"] == "identifier"
    rows = facts["data"]["rows"] if is_text else facts["sample"]["rows"]
    present = rows * (1 - column["missing_share"])
    needed = present if is_text else ALL_NUMBERS * present
    is_there = column["missing_share"] <= MOST_MISSING
    return bool(is_there and column["distinct"] + facts["repeats"]["rows"] >= int(needed))
