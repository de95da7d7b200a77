"""GET /metrics: the numbers of all workers, as Prometheus reads them."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from app.observability.collector import ServiceCollector

exposition = Blueprint("exposition", __name__)


@exposition.get("/metrics")
def metrics() -> Response:
    """Write the metrics in the form that the client prefers: Prometheus' own or OpenMetrics."""
    registry = CollectorRegistry()
    registry.register(ServiceCollector(current_app.extensions["fraudscore.observer"]))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=content_type)
