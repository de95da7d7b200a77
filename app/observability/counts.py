"""What a process has counted since it began: the hot side of the metrics."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from app.observability import metrics
from app.observability.metrics import Metric, Series
from app.observability.problem_codes import CODES, codes_of
from model.decision import DECISIONS

if TYPE_CHECKING:
    from app.answer import Observed
    from app.record import RequestRecord
    from model.artifact import Artifact

UNMATCHED = "unmatched"
OTHER_METHOD = "other"
_METHODS = {name: name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
_FEW = 16  # values that are counted faster one by one than by NumPy


class Histogram:
    """Counts of a histogram's buckets, the last one without an end, and the sum of the values."""

    def __init__(self, metric: Metric) -> None:
        self._bounds = metric.bounds
        self._counts = [0] * (len(metric.bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def add_all(self, values: Sequence[float]) -> None:
        """Count many values."""
        if len(values) <= _FEW:
            for value in values:
                self._counts[bisect_left(self._bounds, value)] += 1
                self._sum += value
            return
        array = np.array(values, np.float64)
        buckets = np.searchsorted(self._bounds, array)
        found = np.bincount(buckets, minlength=len(self._counts)).tolist()
        self._counts = [sum(pair) for pair in zip(self._counts, found, strict=True)]
        self._sum += float(array.sum())

    def values(self) -> list[float]:
        """Return the counts and the sum."""
        return [*self._counts, self._sum]


class ModelCounts:
    """What one version of a model has answered."""

    def __init__(self, artifact: Artifact) -> None:
        self._labels = (artifact.name, artifact.version)
        self._features = artifact.scorer.spec.features
        self._has_nullable = any(feature.nullable for feature in self._features)
        self._decisions = dict.fromkeys(DECISIONS if "fraud" in artifact.scorer.tasks else (), 0)
        self._anomalies = 0
        self._scores = Histogram(metrics.SCORE)
        self._anomaly_scores = Histogram(metrics.ANOMALY_SCORE)
        self._missing = np.zeros(len(self._features), np.int64)
        self._novel = np.zeros(len(self._features), np.int64)
        self._rare = np.zeros(len(self._features), np.int64)

    def add(self, observed: Observed) -> None:
        """Count the transactions of one request."""
        scored, novelty = observed.scored, observed.novelty
        for decision, count in scored.counts.get("decisions", {}).items():
            self._decisions[decision] += count
        self._anomalies += scored.counts.get("anomalies", 0)
        if scored.scores:
            self._scores.add_all(scored.scores)
        if scored.anomaly_scores:
            self._anomaly_scores.add_all(scored.anomaly_scores)
        if self._has_nullable:
            is_missing = np.isnan(observed.matrix)
            if np.count_nonzero(is_missing):
                self._missing += is_missing.sum(axis=0)
        if novelty.per_column is not None:
            self._novel += novelty.per_column
        if novelty.rare_per_column is not None:
            self._rare += novelty.rare_per_column

    def series(self) -> Series:
        """Return the counts."""
        series: Series = {
            (metrics.PREDICTIONS.name, (*self._labels, decision)): [count]
            for decision, count in self._decisions.items()
        }
        series[metrics.SCORE.name, self._labels] = self._scores.values()
        series[metrics.ANOMALY_SCORE.name, self._labels] = self._anomaly_scores.values()
        series[metrics.ANOMALIES.name, self._labels] = [self._anomalies]
        counts = (self._missing.tolist(), self._novel.tolist(), self._rare.tolist())
        for feature, missing, novel, rare in zip(self._features, *counts, strict=True):
            if feature.nullable:
                series[metrics.MISSING.name, (feature.name,)] = [missing]
            if feature.kind == "categorical":
                series[metrics.UNKNOWN_CATEGORY.name, (feature.name,)] = [novel]
                series[metrics.RARE_CATEGORY.name, (feature.name,)] = [rare]
            elif feature.seen is not None:
                series[metrics.OUT_OF_RANGE.name, (feature.name,)] = [novel]
        return series


class Counts:
    """All that a process counts; threads take turns, for a tenth of a microsecond each."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._in_progress = 0
        self._requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._durations: dict[str, Histogram] = {}
        self._transactions: defaultdict[str, int] = defaultdict(int)
        self._clients: defaultdict[str, int] = defaultdict(int)
        self._problems = dict.fromkeys(CODES, 0)
        self._models: dict[tuple[str, str], ModelCounts] = {}

    def begin(self) -> None:
        """Count a request that has come in."""
        with self._lock:
            self._in_progress += 1

    def end(self, record: RequestRecord, duration_s: float) -> None:
        """Count a request that has been answered."""
        route = record.route or UNMATCHED
        method = _METHODS.get(record.method, OTHER_METHOD)
        codes = codes_of(record.problem) if record.problem is not None else ()
        with self._lock:
            self._in_progress -= 1
            self._requests[route, method, record.status] += 1
            histogram = self._durations.get(route)
            if histogram is None:
                histogram = self._durations[route] = Histogram(metrics.DURATION)
            histogram.add(duration_s)
            if record.client is not None:
                self._clients[record.client] += 1
            for code in codes:
                self._problems[code] += 1
            if record.observed is not None:
                self._transactions[route] += len(record.observed.scored.rows)
                self._model(record.observed.champion.artifact).add(record.observed)

    def series(self, artifact: Artifact) -> Series:
        """Return all counts, with those of the model that answers even while they are zero."""
        with self._lock:
            self._model(artifact)
            own: Series = {
                (metrics.REQUESTS.name, (route, method, str(status))): [count]
                for (route, method, status), count in self._requests.items()
            }
            own[metrics.IN_PROGRESS.name, ()] = [self._in_progress]
            for route, histogram in self._durations.items():
                own[metrics.DURATION.name, (route,)] = histogram.values()
            for route, count in self._transactions.items():
                own[metrics.TRANSACTIONS.name, (route,)] = [count]
            for code, count in self._problems.items():
                own[metrics.VALIDATION_ERRORS.name, (code,)] = [count]
            for client, count in self._clients.items():
                own[metrics.CLIENT_REQUESTS.name, (client,)] = [count]
            return metrics.total([own, *(model.series() for model in self._models.values())])

    def _model(self, artifact: Artifact) -> ModelCounts:
        """Return the counts of a model."""
        key = artifact.name, artifact.version
        counts = self._models.get(key)
        if counts is None:
            counts = self._models[key] = ModelCounts(artifact)
        return counts
