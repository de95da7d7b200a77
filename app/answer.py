"""The whole way of a scoring request, free of any web framework: bytes in, bytes out.

Parse, validate, score, encode. Whatever goes wrong is raised; ``app.errors`` turns it into a
problem document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from app.json_provider import dumps, dumps_rows, loads
from app.schemas import Batch, Options, Route, load_options
from model.decision import DECISIONS, REVIEW
from model.errors import TaskError
from model.features import Matrix, Novelty
from model.reasons import Reason
from model.scorer import Scorer, Scores

if TYPE_CHECKING:
    from app.store import Champion

JSON_HEADERS = (("Content-Type", "application/json"),)
TASKS: Mapping[Route, str] = {"predict": "fraud", "anomaly": "anomaly"}

Row = dict[str, Any]


class Observed(NamedTuple):
    """What the metrics count of a scored request; values, so it never leaves the process."""

    champion: Champion
    matrix: Matrix
    scored: Scored
    novelty: Novelty


class Answer(NamedTuple):
    """What goes back to the client, and what the log and the metrics may say about it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    facts: Mapping[str, object] = MappingProxyType({})
    observed: Observed | None = None


class Scored(NamedTuple):
    """What a task says: an object for each transaction, and what is common to all of them."""

    rows: list[Row]
    common: Row
    counts: Row
    scores: Sequence[int] = ()
    anomaly_scores: Sequence[float] = ()


def answer(champion: Champion, route: Route, body: bytes, query: str = "") -> Answer:
    """Score the transactions of a request body."""
    artifact = champion.artifact
    if TASKS[route] not in artifact.scorer.tasks:
        raise TaskError(TASKS[route], artifact.name)
    options = load_options(route, query)
    batch, is_single = champion.requests.load(loads(body))
    scored = _SCORING[route](artifact.scorer, batch, options)
    rows, common = _identified(scored.rows, batch), {**scored.common, "model": champion.label}
    document = {**rows[0], **common} if is_single else {"predictions": dumps_rows(rows), **common}
    novelty = artifact.scorer.spec.count_novel(batch.matrix)
    facts = {
        "rows": len(rows),
        "model": artifact.version,
        **scored.counts,
        "out_of_range": novelty.out_of_range,
        "unseen_categories": novelty.unseen_categories,
        "rare_categories": novelty.rare_categories,
    }
    observed = Observed(champion, batch.matrix, scored, novelty)
    return Answer(200, JSON_HEADERS, dumps(document), facts, observed)


def _predict(scorer: Scorer, batch: Batch, options: Options) -> Scored:
    """Say how likely fraud is and what to do about it; explain what is not simply approved."""
    scores = scorer.score(batch.matrix)
    decisions = scores.decision.tolist()
    numbers = scores.score.tolist()
    values = zip(scores.probability.tolist(), numbers, decisions, strict=True)
    rows: list[Row] = [
        {"probability": probability, "score": score, "decision": DECISIONS[code]}
        for probability, score, code in values
    ]
    interval = scorer.uncertainty(scores)
    if interval is not None:
        low, high = interval
        for row, *bounds in zip(rows, low.tolist(), high.tolist(), strict=True):
            row["uncertainty"] = bounds
    anomalies = scores.anomaly
    if anomalies is None and options.anomaly:
        anomalies = scorer.anomaly(batch.matrix)
    anomaly_scores = [] if anomalies is None else anomalies.anomaly_score.tolist()
    if anomalies is not None:
        for row, anomaly_score in zip(rows, anomaly_scores, strict=True):
            row["anomaly_score"] = anomaly_score
    explained = _explained(decisions, options)
    if explained:
        known = scores if len(explained) == len(rows) else None
        _attach(rows, explained, "reasons", scorer.reasons(batch.matrix[explained], known))
    odd = _reviewed_as_odd(scorer, scores)
    if odd and anomalies is not None:
        contributions = scorer.anomaly_reasons(batch.matrix[odd], anomalies.of(odd))
        _attach(rows, odd, "contributions", contributions)
    counts: Row = {
        "decisions": {name: decisions.count(code) for code, name in enumerate(DECISIONS)}
    }
    if anomalies is not None:
        counts["anomalies"] = int(np.count_nonzero(anomalies.is_anomaly))
    return Scored(rows, {}, counts, numbers, anomaly_scores)


def _reviewed_as_odd(scorer: Scorer, scores: Scores) -> list[int]:
    """Return the numbers of the rows that the policy wants reviewed for their anomaly score."""
    if scores.anomaly is None or scorer.fraud is None:
        return []
    is_odd = scorer.fraud.policy.is_odd(scores.anomaly.anomaly_score)
    return np.flatnonzero(is_odd & (scores.decision == REVIEW)).tolist()


def _anomaly(scorer: Scorer, batch: Batch, options: Options) -> Scored:
    """Say how unusual each transaction is; explain those that are anomalies."""
    anomalies = scorer.anomaly(batch.matrix)
    flags = anomalies.is_anomaly.tolist()
    scores = anomalies.anomaly_score.tolist()
    values = zip(anomalies.reconstruction_error.tolist(), scores, flags, strict=True)
    rows: list[Row] = [
        {"reconstruction_error": error, "anomaly_score": score, "is_anomaly": flag}
        for error, score, flag in values
    ]
    explained = _explained(flags, options)
    if explained:
        contributions = scorer.anomaly_reasons(batch.matrix[explained], anomalies.of(explained))
        _attach(rows, explained, "contributions", contributions)
    common = {"threshold": float(anomalies.threshold)}
    return Scored(rows, common, {"anomalies": flags.count(True)}, anomaly_scores=scores)


_SCORING = {"predict": _predict, "anomaly": _anomaly}


def _explained(flags: Sequence[int], options: Options) -> Sequence[int]:
    """Return the numbers of the rows that carry an explanation."""
    if options.explain:
        return range(len(flags))
    return [number for number, flag in enumerate(flags) if flag]


def _attach(
    rows: list[Row], numbers: Sequence[int], key: str, reasons: Sequence[Sequence[Reason]]
) -> None:
    """Add the reasons to the rows they explain; the encoder writes them as objects by itself."""
    for number, row_reasons in zip(numbers, reasons, strict=True):
        rows[number][key] = row_reasons


def _identified(rows: list[Row], batch: Batch) -> list[Row]:
    """Put the identifiers that came with a transaction in front of its answer."""
    if not batch.identifiers:
        return rows
    return [{**batch.identifiers.get(number, {}), **row} for number, row in enumerate(rows)]
