"""Which column could be the label where none is named like one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow

from training.cells import Refused
from training.cells.labels import LabelScan, decide_labels
from training.column_names import words_of

Facts = dict[str, Any]

# words of values that stand for fraud, and of names of columns that say what became of a payment
FRAUD_WORDS = {"fraud", "fraudulent", "chargeback", "scam", "bad", "illicit", "suspicious"}
YES_WORDS = {"1", "true", "yes", "y", "t"}
LABEL_WORDS = {*FRAUD_WORDS, "label", "target", "class", "outcome", "verdict", "disputed"}


def label_candidates(facts: Facts) -> list[tuple[str, str, bool]]:
    """Return the columns that could be the label, each with the value that stands for fraud.

    And with each, whether that has to be said.

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
            found.append((column["name"], rarer, _has_to_be_told(list(counts))))
    return found


def fraud_among(values: Sequence[str]) -> str | None:
    """Return the one of some labels that is named like fraud; None where there is not one."""
    named = [value for value in values if FRAUD_WORDS.intersection(words_of(value))]
    return named[0] if len(named) == 1 else None


def _has_to_be_told(values: Sequence[str]) -> bool:
    """Return whether training does not know which of two labels means fraud."""
    scan = LabelScan()
    scan.add(pyarrow.array(values, pyarrow.large_string()), 0)
    return isinstance(decide_labels(scan), Refused)


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
