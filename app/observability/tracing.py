"""OpenTelemetry traces, when its standard variables ask for them; otherwise nothing is imported.

One server span a request. The exporter and its thread begin with the process that answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor

    from app.record import RequestRecord

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Of what is logged, what a span may say too, by the name of its attribute.
_FACTS = {"rows": "fraudscore.rows", "model": "fraudscore.model.version"}


def tracing_for(environ: Mapping[str, str]) -> Tracing | None:
    """Return the tracing that the environment asks for, if it does."""
    is_wanted = any(environ.get(name) for name in _ENDPOINTS)
    is_off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if not is_wanted or is_off or environ.get("OTEL_TRACES_EXPORTER") == "none":
        return None
    return Tracing()


class Tracing:
    """Makes the spans of requests; ``processor`` takes them where no collector shall."""

    def __init__(self, processor: SpanProcessor | None = None) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._api = trace
        self._provider = TracerProvider(resource=_resource())
        self._processor = processor
        self._tracer = self._provider.get_tracer("fraudscore")
        self._propagator = TraceContextTextMapPropagator()

    def open(self) -> None:
        """Begin to send spans; its thread would not survive a fork."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        processor = self._processor or BatchSpanProcessor(OTLPSpanExporter())
        self._provider.add_span_processor(processor)

    def begin(self, environ: WSGIEnvironment, record: RequestRecord) -> None:
        """Begin the span of a request, below the span of the caller if one is named."""
        method = record.method if record.method in _METHODS else "_OTHER"
        record.span = self._tracer.start_span(
            method,
            self._parent(environ),
            self._api.SpanKind.SERVER,
            {
                "http.request.method": method,
                "url.scheme": environ["wsgi.url_scheme"],
                "network.protocol.version": environ["SERVER_PROTOCOL"].removeprefix("HTTP/"),
                "fraudscore.request_id": record.request_id,
            },
        )

    def end(self, record: RequestRecord) -> None:
        """Say what became of the request; the path stays unsaid unless it is one of ours."""
        span = record.span
        if span is None:
            return
        span.set_attribute("http.response.status_code", record.status)
        if record.route is not None:
            span.set_attributes({"http.route": record.route, "url.path": record.route})
            method = record.method if record.method in _METHODS else "HTTP"
            span.update_name(f"{method} {record.route}")
        for fact, attribute in _FACTS.items():
            if fact in record.facts:
                span.set_attribute(attribute, record.facts[fact])  # type: ignore[arg-type]
        if record.status >= 500:
            span.set_attribute("error.type", str(record.status))
            span.set_status(self._api.StatusCode.ERROR)
        span.end()

    def _parent(self, environ: WSGIEnvironment) -> Context | None:
        """Return the context that a W3C header names."""
        traceparent = environ.get("HTTP_TRACEPARENT")
        if traceparent is None:
            return None
        carrier = {"traceparent": traceparent, "tracestate": environ.get("HTTP_TRACESTATE", "")}
        return self._propagator.extract(carrier)


def _resource() -> Resource:
    """Describe the service; what the standard variables say comes first."""
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource

    named = OTELResourceDetector().detect().attributes
    return Resource.create({} if SERVICE_NAME in named else {SERVICE_NAME: "fraudscore"})
