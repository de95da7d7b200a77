"""A span for every request where OpenTelemetry's variables ask for it, and nothing otherwise."""

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from app import create_app
from app.observability.tracing import Tracing, tracing_for
from app.record import RequestRecord
from tests.app.gunicorn import DEADLINE_S, wait_for, with_constant
from tests.factories import valid_row

ROOT = Path(__file__).resolve().parents[2]
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture(autouse=True)
def _unset(monkeypatch):
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def exporter():
    """Return what keeps the spans in memory."""
    return InMemorySpanExporter()


@pytest.fixture
def trace(exporter):
    """Return a function that traces one request and returns its span."""
    tracing = Tracing(SimpleSpanProcessor(exporter))
    tracing.open()

    def run(method="POST", route="/predict", status=200, facts=None, **headers):
        environ = {"wsgi.url_scheme": "http", "SERVER_PROTOCOL": "HTTP/1.1", **headers}
        record = RequestRecord("r-1", method)
        tracing.begin(environ, record)
        record.route, record.status, record.facts = route, status, facts or {}
        tracing.end(record)
        return exporter.get_finished_spans()[-1]

    return run


def test_span_says_what_the_conventions_ask_for(trace):
    facts = {"rows": 3, "model": "3f9c2a7e51d0", "decisions": {"approve": 3}}

    span = trace(facts=facts)

    assert (span.name, span.kind, span.parent) == ("POST /predict", SpanKind.SERVER, None)
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "url.path": "/predict",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "http.response.status_code": 200,
        "fraudscore.request_id": "r-1",
        "fraudscore.rows": 3,
        "fraudscore.model.version": "3f9c2a7e51d0",
    }


def test_span_continues_the_trace_of_the_caller(trace):
    span = trace(HTTP_TRACEPARENT=TRACEPARENT, HTTP_TRACESTATE="vendor=1")

    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.parent.is_remote
    assert span.context.trace_state == {"vendor": "1"}


@pytest.mark.parametrize("header", ["", "junk", f"00-{'0' * 32}-b7ad6b7169203331-01", "é" * 300])
def test_malformed_trace_header_begins_a_trace(trace, header):
    span = trace(HTTP_TRACEPARENT=header)

    assert span.parent is None
    assert span.context.trace_id


def test_caller_may_ask_not_to_be_traced(trace, exporter):
    trace()

    trace(HTTP_TRACEPARENT=TRACEPARENT[:-2] + "00")

    assert len(exporter.get_finished_spans()) == 1


def test_server_error_is_an_error_of_the_span_and_a_refusal_is_not(trace):
    failed, refused = trace(status=503), trace(status=422)

    assert failed.status.status_code is StatusCode.ERROR
    assert failed.attributes["error.type"] == "503"
    assert refused.status.status_code is StatusCode.UNSET
    assert "error.type" not in refused.attributes


def test_client_cannot_invent_names_of_spans(trace):
    span = trace(method="FORGED", route=None, status=404)

    assert span.name == "_OTHER"
    assert span.attributes["http.request.method"] == "_OTHER"
    assert not {"http.route", "url.path"} & set(span.attributes)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {ENDPOINT: ""},
        {ENDPOINT: "http://x", "OTEL_SDK_DISABLED": "true"},
        {ENDPOINT: "http://x", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_without_its_variables_there_is_no_tracing(environ):
    assert tracing_for(environ) is None


def test_without_its_variables_opentelemetry_is_not_even_loaded():
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL", "FRAUDSCORE"))}
    code = "import app, sys; app.create_app(); print('opentelemetry' in sys.modules)"

    loaded = subprocess.run(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True
    )

    assert (loaded.stdout, loaded.stderr) == ("False\n", "")


@contextmanager
def collector():
    """Run what receives spans as OTLP over HTTP; yield its address and what it received."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Keep silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", received
        server.shutdown()


def spans_in(received):
    """Return the spans that were received."""
    return [
        span
        for _, message in received
        for resource in message.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def service_name(received):
    """Return the name that the first message gives the service."""
    attributes = received[0][1].resource_spans[0].resource.attributes
    return {item.key: item.value.string_value for item in attributes}["service.name"]


@pytest.mark.parametrize(("given", "told"), [(None, "fraudscore"), ("checkout", "checkout")])
def test_spans_reach_a_collector_and_the_log_line_names_the_trace(
    model_dir, monkeypatch, capfd, given, told
):
    with collector() as (address, received):
        monkeypatch.setenv(ENDPOINT, address)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        if given:
            monkeypatch.setenv("OTEL_SERVICE_NAME", given)
        client = create_app({"MODEL_DIR": model_dir}).test_client()

        client.post("/predict", json=valid_row(V1=4000.5), headers={"traceparent": TRACEPARENT})
        wait_for(lambda: received, "a span")

    ((path, _),) = received
    (span,) = spans_in(received)
    (line,) = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert path == "/v1/traces"
    assert span.trace_id.hex() == line["trace_id"] == TRACE
    assert service_name(received) == told
    assert "4000" not in str(span)


def test_workers_send_their_last_spans_before_they_stop(serve, tmp_path):
    patient = with_constant(tmp_path, "app.observability.tracing._LEAVE_S", DEADLINE_S)
    with collector() as (address, received):
        server = serve(
            *patient,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{address}/own",
            OTEL_BSP_SCHEDULE_DELAY="60000",
        )
        for _ in range(3):
            server.post("/predict", valid_row())
        server.popen.terminate()
        code, _, _ = server.end()

    assert code == 0
    assert {path for path, _ in received} == {"/own"}
    assert [span.name for span in spans_in(received)].count("POST /predict") == 3


def test_collector_that_never_answers_does_not_hold_up_the_stop(serve):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        # Nobody but the worker itself ends the wait: not Gunicorn, and not the exporter.
        patience = {"OTEL_EXPORTER_OTLP_TIMEOUT": "300", ENDPOINT: address}
        server = serve("--graceful-timeout", "300", **patience)
        server.post("/predict", valid_row())
        server.popen.terminate()
        code, _, errors = server.end()

    assert (code, errors) == (0, [])


def test_collector_that_is_gone_costs_no_answer(model_dir, monkeypatch):
    with collector() as (address, _):
        monkeypatch.setenv(ENDPOINT, address)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    client = create_app({"MODEL_DIR": model_dir}).test_client()

    assert {client.get("/health").status_code for _ in range(20)} == {200}


def test_variables_that_cannot_work_cost_the_traces(model_dir, monkeypatch, caplog):
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1")  # smaller than a batch
    client = create_app({"MODEL_DIR": model_dir}).test_client()

    assert [client.get("/health").status_code for _ in range(2)] == [200, 200]
    ours = [record for record in caplog.records if record.name == "app.observability.observer"]
    assert [record.getMessage() for record in ours] == ["not traced"]
