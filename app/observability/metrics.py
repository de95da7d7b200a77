"""What is measured: every metric with its meaning, and how the numbers of several processes add up.

``Series`` are plain numbers, so that a request costs no more than a few additions: the name of a
metric and the values of its labels lead to one number, or for a histogram to the counts of its
buckets and the sum. ``counts`` makes them, ``published`` carries them from one process to another,
``exposition`` writes them for Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["counter", "gauge", "histogram"]
Series = dict[tuple[str, tuple[str, ...]], list[float]]

_MODEL = ("model", "version")


@dataclass(frozen=True)
class Metric:
    """One metric; ``bounds`` are the upper ends of a histogram's buckets, the last one left out.

    Numbers of several processes are added up; with ``is_maximum`` the largest stands for all.
    """

    name: str
    kind: Kind
    documentation: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    is_maximum: bool = False

    @property
    def width(self) -> int:
        """How many numbers a series has: one, or a histogram's buckets and its sum."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


REQUESTS = Metric(
    "fraud_http_requests_total",
    "counter",
    "Requests answered, by the rule of the route that matched.",
    ("route", "method", "code"),
)
DURATION = Metric(
    "fraud_http_request_duration_seconds",
    "histogram",
    "Time from the whole request to its answer.",
    ("route",),
    (5e-05, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
IN_PROGRESS = Metric(
    "fraud_http_requests_in_progress",
    "gauge",
    "Requests being answered, the scrape that asks among them.",
)
TRANSACTIONS = Metric(
    "fraud_transactions_total", "counter", "Transactions scored, by route.", ("route",)
)
PREDICTIONS = Metric(
    "fraud_predictions_total",
    "counter",
    "Transactions decided on, by model and decision.",
    (*_MODEL, "decision"),
)
SCORE = Metric(
    "fraud_score",
    "histogram",
    "Scores from 0 to 1000: 250 points for each factor 10 in the false-positive rate.",
    _MODEL,
    tuple(float(bound) for bound in range(50, 1000, 50)),
)
ANOMALY_SCORE = Metric(
    "fraud_anomaly_score",
    "histogram",
    "Anomaly scores: the share of legitimate validation transactions that look less unusual.",
    _MODEL,
    (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999),
)
ANOMALIES = Metric(
    "fraud_anomalies_total", "counter", "Transactions beyond the anomaly threshold.", _MODEL
)
VALIDATION_ERRORS = Metric(
    "fraud_validation_errors_total",
    "counter",
    "Reasons named in refusals of what a request held.",
    ("code",),
)
MISSING = Metric(
    "fraud_input_missing_total", "counter", "Values missing where they may be.", ("feature",)
)
UNKNOWN_CATEGORY = Metric(
    "fraud_input_unknown_category_total",
    "counter",
    "Categories unseen in training.",
    ("feature",),
)
RARE_CATEGORY = Metric(
    "fraud_input_rare_category_total",
    "counter",
    "Categories that training saw too rarely to tell apart.",
    ("feature",),
)
OUT_OF_RANGE = Metric(
    "fraud_input_out_of_range_total",
    "counter",
    "Values outside of the range seen in training.",
    ("feature",),
)
MODEL_INFO = Metric(
    "fraud_model_info",
    "gauge",
    "1 for every model that answers.",
    ("name", "version", "sha256"),
    is_maximum=True,
)
MODEL_LOADED = Metric(
    "fraud_model_load_timestamp_seconds",
    "gauge",
    "When the newest model was loaded, in seconds since 1970.",
    is_maximum=True,
)
MODEL_SWAPS = Metric(
    "fraud_model_swaps_total",
    "counter",
    "New champions that a worker took up or refused.",
    ("result",),
)
DEGRADED = Metric(
    "fraud_workers_degraded", "gauge", "Workers that answer with another model than the champion."
)
WORKERS = Metric("fraud_workers", "gauge", "Workers that are alive.")
WORKERS_MISSING = Metric(
    "fraud_workers_missing",
    "gauge",
    "Workers that could not be started and are tried again.",
    is_maximum=True,
)
STARTS_FAILED = Metric(
    "fraud_worker_starts_failed_total",
    "counter",
    "Workers that could not be started, or ended before they served.",
    is_maximum=True,
)
CLIENT_REQUESTS = Metric(
    "fraud_client_requests_total",
    "counter",
    "Requests with a valid API key, by the name of the key.",
    ("client",),
)
KEYS_STALE = Metric(
    "fraud_workers_keys_stale",
    "gauge",
    "Workers that go by an earlier state of the keys file, as it cannot be read any more.",
)
LIMITS_UNSHARED = Metric(
    "fraud_rate_limit_redis_failures_total",
    "counter",
    "Times that Redis failed or took too long, and a worker counted rate limits by itself.",
)
LINES_DROPPED = Metric(
    "fraud_log_lines_dropped_total",
    "counter",
    "Log lines that the standard output did not take.",
)

METRICS = {
    metric.name: metric
    for metric in (
        REQUESTS,
        DURATION,
        IN_PROGRESS,
        TRANSACTIONS,
        PREDICTIONS,
        SCORE,
        ANOMALY_SCORE,
        ANOMALIES,
        VALIDATION_ERRORS,
        MISSING,
        UNKNOWN_CATEGORY,
        RARE_CATEGORY,
        OUT_OF_RANGE,
        MODEL_INFO,
        MODEL_LOADED,
        MODEL_SWAPS,
        DEGRADED,
        WORKERS,
        WORKERS_MISSING,
        STARTS_FAILED,
        CLIENT_REQUESTS,
        KEYS_STALE,
        LIMITS_UNSHARED,
        LINES_DROPPED,
    )
}


def total(parts: Iterable[Series]) -> Series:
    """Return the numbers of several processes as those of one."""
    whole: Series = {}
    for part in parts:
        for key, values in part.items():
            known = whole.get(key)
            if known is None:
                whole[key] = list(values)
            elif METRICS[key[0]].is_maximum:
                whole[key] = [max(pair) for pair in zip(known, values, strict=True)]
            else:
                whole[key] = [sum(pair) for pair in zip(known, values, strict=True)]
    return whole


def lasting(series: Series) -> Series:
    """Return what remains of a process that has ended: all but its gauges."""
    return {key: values for key, values in series.items() if METRICS[key[0]].kind != "gauge"}


def to_rows(series: Series) -> list[tuple[str, tuple[str, ...], list[float]]]:
    """Return series in a form that JSON can hold."""
    return [(name, labels, values) for (name, labels), values in series.items()]


def from_rows(rows: Iterable[Any]) -> Series:
    """Read what ``to_rows`` wrote; what another release measured differently is left out."""
    series: Series = {}
    for name, labels, values in rows:
        metric = METRICS.get(name)
        if metric and (len(labels), len(values)) == (len(metric.labels), metric.width):
            series[name, tuple(labels)] = values
    return series
