"""From our numbers to the families of metrics that Prometheus' own library writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Protocol

from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from app.observability.metrics import METRICS, Metric, Series

_Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
_KINDS = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


class Source(Protocol):
    """Where numbers come from."""

    def collect(self) -> tuple[Series, list[int]]:
        """Return the numbers, and the ids of the processes that they are of."""
        ...


class ServiceCollector(Collector):
    """Hands the numbers to Prometheus' own library."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def describe(self) -> Iterable[Family]:
        """Name nothing ahead: the names are known and checked, and collecting would cost twice."""
        return ()

    def collect(self) -> Iterator[Family]:
        """Return the metrics of the service, then those of the processes."""
        series, pids = self._source.collect()
        families = {name: _family(metric) for name, metric in METRICS.items()}
        for (name, labels), values in sorted(series.items()):
            family = families[name]
            if isinstance(family, HistogramMetricFamily):
                family.add_metric(labels, _buckets(METRICS[name], values), values[-1])
            else:
                family.add_metric(labels, values[0])
        yield from families.values()
        yield from _processes(pids)


def _family(metric: Metric) -> _Family:
    """Return an empty family for a metric."""
    family: type[_Family] = _KINDS[metric.kind]
    return family(metric.name, metric.documentation, labels=metric.labels)


def _buckets(metric: Metric, values: list[float]) -> list[tuple[str, float]]:
    """Return the buckets of a histogram, each with all the smaller ones in it."""
    names = [*map(str, metric.bounds), "+Inf"]
    return list(zip(names, accumulate(values[:-1]), strict=True))


def _processes(pids: Iterable[int]) -> Iterator[Family]:
    """Return processor time, memory and open files of each worker, as Prometheus names them."""
    families: dict[str, Family] = {}
    for pid in pids:
        of_process = ProcessCollector(pid=lambda pid=pid: pid, registry=None)  # type: ignore[misc]
        for family in of_process.collect():
            known = families.setdefault(
                family.name, Family(family.name, family.documentation, family.type)
            )
            known.samples += [
                sample._replace(labels={"pid": str(pid)}) for sample in family.samples
            ]
    yield from families.values()
