"""What a scorer says of its golden rows, written down, and whether it says so still.

Each step from a row to its answer is compared by itself, from what was written down of the step
before: rows are read from transactions, networks turn rows into logits and errors, curves turn
these into probabilities and scores, the policy turns those into decisions. Only networks are
rounded differently by other processors and batch shapes; whatever follows them must agree in all
but the last digits, so that no change is small enough to pass.

The curves are compared at the rows' values and at their own knots, the policy at the least log
odds of fraud for which it reviews and blocks amounts of every size, the features by the numbers and
words that a transaction is read by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import strict_json
from model.activations import sigmoid
from model.decision import BLOCK, DECISIONS, HIGHEST_SCORE, REVIEW, SCORE_PER_DECADE, Policy
from model.features import FeatureSpec, Matrix
from model.golden import Transaction, golden_transactions
from model.rare import CHECKSUM, checksum
from model.reasons import Reason
from model.scorer import Anomalies, AnomalyPart, FraudPart, Scorer

Array = NDArray[Any]
Outputs = dict[str, Array]

GOLDEN_TOLERANCE = 1e-4  # relative: other processors and batch shapes round networks differently
ROUNDING = 1e-6  # relative, of all that follows: exponentials and sums differ in the last digits
BEYOND = 5  # probes of a curve beyond each of its ends
AMOUNTS = (np.nan, 0.0, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6)
WIDEST_ODDS = 40.0  # log odds, at which a probability is 0 or 1 but for the last bits
HALVINGS = 60

_FROM_NETWORKS = ("logits", "contributions", "reconstruction_errors", "shares")
_OF_FORMAT_1 = ("logits", "reconstruction_errors")


class AnswersDifferError(ValueError):
    """A scorer answers differently than it did."""


def write_answers(scorer: Scorer, rows: Matrix) -> Outputs:
    """Return golden rows, as transactions too, and all that a scorer says of them, by name."""
    transactions, rows = golden_transactions(scorer.spec, rows)
    text = json.dumps(transactions, ensure_ascii=False, allow_nan=False)
    outputs: Outputs = {"transactions": np.frombuffer(text.encode(), np.uint8), "rows": rows}
    outputs |= _of_features(scorer.spec) | _from_networks(scorer, rows)
    outputs |= _probes(scorer, outputs)
    return outputs | _from_probes(scorer, outputs)


def check_answers(scorer: Scorer, written: Mapping[str, Array]) -> list[Transaction]:
    """Return the golden transactions if a scorer answers them as was written down.

    Raises
    ------
    AnswersDifferError
        If it does not.
    ValueError, KeyError, TypeError
        If what was written down is something else.
    """
    transactions: list[Transaction] = strict_json.loads(written["transactions"].tobytes())
    rows = written["rows"]
    if not len(rows):
        raise ValueError("there are none")
    read = {"rows": scorer.spec.matrix_from_rows(transactions)}
    found = (
        read
        | _of_features(scorer.spec)
        | _from_networks(scorer, rows)
        | _from_probes(scorer, written)
    )
    names = {"transactions", *found, *_names_of_probes(scorer)}
    if written.keys() != names:
        raise ValueError(f"there are {sorted(written)}, not {sorted(names)}")
    for name, values in found.items():
        _compare(name, values, written[name])
    _refuse_what_is_not_finite(scorer, rows)
    return transactions


def check_format_1(scorer: Scorer, written: Mapping[str, Array]) -> list[Transaction]:
    """Return golden rows as transactions if a scorer's networks answer them as was written down.

    Format 1 holds no more than that; the rest must run, and give finite numbers.
    """
    rows = written["rows"]
    if not len(rows):
        raise ValueError("there are none")
    found = {
        name: values
        for name, values in _from_networks(scorer, rows).items()
        if name in _OF_FORMAT_1
    }
    if written.keys() != {"rows", *found}:
        raise ValueError(f"there are {sorted(written)}, not {sorted(('rows', *found))}")
    for name, values in found.items():
        _compare(name, values, written[name])
    _refuse_what_is_not_finite(scorer, rows)
    return golden_transactions(scorer.spec, rows)[0]


def _refuse_what_is_not_finite(scorer: Scorer, rows: Matrix) -> None:
    """Answer the rows in full once: a part that cannot run, or finds no number, must not serve."""
    numbers: Outputs = {}
    if scorer.fraud is not None:
        scores = scorer.score(rows)
        numbers |= {"probability": scores.probability, "spread": scores.spread}
        numbers["contributions"] = scorer.contributions(rows)
        scorer.reasons(rows, scores)
    if scorer.anomalies is not None:
        anomalies = scorer.anomaly(rows)
        numbers |= {"anomaly_score": anomalies.anomaly_score, "shares": anomalies.shares}
        scorer.anomaly_reasons(rows, anomalies)
    for name, values in numbers.items():
        if not np.isfinite(values).all():
            raise AnswersDifferError(f"{name} is not finite")


def _of_features(spec: FeatureSpec) -> Outputs:
    """Return what transactions are read by: bounds, typical values, categories, missing words."""
    facts = [
        (each.minimum, each.maximum, each.central, *(each.typical_days or (None, None)))
        for each in spec.features
    ]
    texts = [*(text for each in spec.features for text in each.categories), *spec.missing]
    return {
        "features": np.array(facts, np.float64),  # (F, 5), NaN for None
        "texts": np.array([checksum(text) for text in texts], CHECKSUM),
    }


def _from_networks(scorer: Scorer, rows: Matrix) -> Outputs:
    """Return what the networks say of the rows."""
    outputs: Outputs = {}
    if scorer.fraud is not None:
        outputs["logits"] = scorer.logits(rows)
        outputs["contributions"] = scorer.contributions(rows)
        amounts = scorer.amounts(rows)
        outputs["amounts"] = np.full(len(rows), np.nan) if amounts is None else amounts
    if scorer.anomalies is not None:
        anomalies = scorer.anomaly(rows)
        outputs["reconstruction_errors"] = anomalies.reconstruction_error
        outputs["shares"] = anomalies.shares
    return outputs


def _names_of_probes(scorer: Scorer) -> set[str]:
    parts = {"probe_logits": scorer.fraud, "probe_errors": scorer.anomalies}
    return {name for name, part in parts.items() if part is not None}


def _probes(scorer: Scorer, written: Mapping[str, Array]) -> Outputs:
    """Return where the curves are to be compared: first at the rows, then at their knots."""
    probes: Outputs = {}
    if scorer.fraud is not None:
        knots = _knots_of_logits(scorer.fraud)
        probes["probe_logits"] = np.concatenate([written["logits"].mean(axis=0), knots])
    if scorer.anomalies is not None:
        errors = _with_middles(np.array(scorer.anomalies.scale.errors))
        beyond = [0.0, *(errors[-1] * np.arange(1.5, 1.5 + BEYOND)), errors[-1] + 1]
        probes["probe_errors"] = np.concatenate([written["reconstruction_errors"], errors, beyond])
    return probes


def _knots_of_logits(fraud: FraudPart) -> Array:
    calibration, scale = fraud.calibration, fraud.scale
    knots = _with_middles(np.array(scale.knots))
    decades = HIGHEST_SCORE / SCORE_PER_DECADE  # in which the tail reaches the highest score
    tail = scale.knots[-1] - np.linspace(0, decades, BEYOND + 1)[1:] / scale.tail_slope
    below = scale.knots[0] - np.geomspace(1, 100, BEYOND)
    bends = _with_middles(np.array(calibration.knots)) - calibration.offset
    return np.concatenate([knots, tail, below, bends])


def _with_middles(knots: Array) -> Array:
    """Return ascending values and what lies in the middle between any two."""
    return np.concatenate([knots, (knots[1:] + knots[:-1]) / 2])


def _from_probes(scorer: Scorer, written: Mapping[str, Array]) -> Outputs:
    """Return what follows from what was written down of the networks."""
    rows = written["rows"]
    outputs: Outputs = {}
    if scorer.fraud is not None:
        outputs |= _of_fraud(scorer, scorer.fraud, written)
    if scorer.anomalies is not None:
        part, errors = scorer.anomalies, written["probe_errors"]
        outputs["anomaly_scores"] = part.scale.score(errors)
        outputs["anomaly_threshold"] = np.array([float(part.scale.threshold)])
        anomalies = _anomalies(part, written)
        outputs["anomaly_reasons"] = _leading(scorer.anomaly_reasons(rows, anomalies))
    return outputs


def _of_fraud(scorer: Scorer, fraud: FraudPart, written: Mapping[str, Array]) -> Outputs:
    rows, logits = written["rows"], written["probe_logits"]
    probability = fraud.calibration.probability(logits)
    anomaly_score = None
    if scorer.anomalies is not None:
        anomaly_score = scorer.anomalies.scale.score(written["reconstruction_errors"])
    decision = fraud.policy.decide(probability[: len(rows)], written["amounts"], anomaly_score)
    reasons = scorer.strongest(rows, written["contributions"], decision)
    return {
        "probabilities": probability,
        "scores": fraud.scale.score(logits),
        "decisions": np.array(DECISIONS).take(decision),
        "reasons": _leading(reasons),
        "thresholds": _thresholds(fraud.policy),
        "anomaly_review": np.array([fraud.policy.anomaly_review], np.float64),  # NaN for None
    }


def _anomalies(part: AnomalyPart, written: Mapping[str, Array]) -> Anomalies:
    errors, scale = written["reconstruction_errors"], part.scale
    return Anomalies(
        errors, scale.score(errors), scale.is_anomaly(errors), written["shares"], scale.threshold
    )


def _leading(reasons: list[list[Reason]]) -> Array:
    """Return the code of the strongest reason of each row, or an empty text."""
    return np.array([row[0].code if row else "" for row in reasons])


def _thresholds(policy: Policy) -> Array:
    """Return the least log odds at which each amount is reviewed, and blocked: shape (2, n).

    By bisection: whatever the policy, decisions become stricter with the odds.
    """
    amounts = np.array(AMOUNTS)
    in_order = None if policy.anomaly_review is None else np.full(len(amounts), -np.inf)
    decisions = np.array([[REVIEW], [BLOCK]])
    low = np.full((2, len(amounts)), -WIDEST_ODDS)
    high = -low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        decided = [policy.decide(sigmoid(odds), amounts, in_order) for odds in middle]
        is_reached = np.array(decided) >= decisions
        low, high = np.where(is_reached, low, middle), np.where(is_reached, middle, high)
    return high


def _compare(name: str, found: Array, expected: Array) -> None:
    """Refuse values that are not what was written down of them."""
    if found.shape != expected.shape:
        raise ValueError(f"golden.{name} of shape {expected.shape}, not {found.shape}")
    if found.dtype.kind == "U":
        different = found != expected
        if different.any():
            row = int(np.flatnonzero(different)[0])
            raise AnswersDifferError(
                f"golden.{name} differ from the day it was written: {str(found[row])!r:.60} of "
                f"row {row}, not {str(expected[row])!r:.60}"
            )
        return
    if not np.array_equal(np.isnan(found), np.isnan(expected)):
        raise AnswersDifferError(
            f"golden.{name} differ from the day it was written: a number is NaN"
        )
    if np.allclose(found, expected, *_tolerances(name), equal_nan=True):
        return
    difference = np.nanmax(np.abs(found - expected))
    raise AnswersDifferError(
        f"golden.{name} differ from the day it was written, by up to {difference:.3g}"
    )


def _tolerances(name: str) -> tuple[float, float]:
    """Return how much values may differ, relative to them and whatever they are."""
    if name in _FROM_NETWORKS:
        return GOLDEN_TOLERANCE, GOLDEN_TOLERANCE
    if name == "scores":
        return 0.0, 1.0
    return ROUNDING, 0.0
