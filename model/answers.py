"""The keys of an answer: names that no identifier, and no feature, may have.

An identifier goes back beside them, under its own name: one would hide the other.
"""

from __future__ import annotations

OF_A_TRANSACTION = (
    "probability",
    "score",
    "decision",
    "uncertainty",
    "anomaly_score",
    "reasons",
    "contributions",
    "reconstruction_error",
    "is_anomaly",
)
OF_A_REQUEST = ("predictions", "model", "threshold")
OF_A_TABLE = ("uncertainty_low", "uncertainty_high")  # where an answer has a list

ANSWER_KEYS = frozenset((*OF_A_TRANSACTION, *OF_A_REQUEST, *OF_A_TABLE))
