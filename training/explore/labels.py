"""Which column could be the label where none is named like one."""

from __future__ import annotations

from typing import Any

from training.column_names import words_of

Facts = dict[str, Any]

# words of values that stand for fraud, and of names of columns that say what became of a payment
FRAUD_WORDS = {"fraud", "fraudulent", "chargeback", "scam", "bad", "illicit", "suspicious"}
YES_WORDS = {"1", "true", "yes", "y", "t"}
LABEL_WORDS = {*FRAUD_WORDS, "label", "target", "class", "outcome", "verdict", "disputed"}


def label_candidates(facts: Facts) -> list[tuple[str, str]]:
    """Return the columns that could be the label, each with the value that stands for fraud.

    Such a column has two values and no gaps; the rarer one is named like fraud, or it is a yes and
    the column is named like a label.
    """
    found = []
    for column in facts["columns"]:
        counts = _values(column)
        if column["role"] or column["missing"] or len(counts) != 2:
            continue
        rarer = min(counts, key=counts.__getitem__)
        is_named = bool(LABEL_WORDS.intersection(words_of(column["name"])))
        is_fraud = bool(FRAUD_WORDS.intersection(words_of(rarer)))
        if is_fraud or (is_named and rarer.lower() in YES_WORDS):
            found.append((column["name"], rarer))
    return found


def _values(column: Facts) -> dict[str, float]:
    """Return the values of a column as texts, and how common each is, where they are few."""
    if column["categories"] is not None:
        rows = column["categories"]["rows"]
        return {row["name"]: row["share"] for row in rows}
    histogram = column["histogram"]
    if histogram is None or histogram["values"] is None:
        return {}
    shares = histogram["shares"]
    if "all" not in shares:
        return {}
    pairs = zip(histogram["values"], shares["all"], strict=True)
    return {f"{value:g}": share for value, share in pairs}
