"""The lane gives the very answers that Flask gives, for good requests and for bad ones."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, EnvironBuilder

from app import create_app
from app.refusal import RefusedError
from app.worker.exchange import Clock, respond
from app.worker.head import HeadReader
from tests.factories import valid_row


@pytest.fixture(scope="module")
def clients(model_dir):
    """Return a client with the lane and one without."""
    return [Client(create_app({"MODEL_DIR": model_dir, "LANE": lane})) for lane in (True, False)]


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["grocery", "unheard of", "2026-03-01T12:30:00", "2026-13-01", "", "é"]),
)
names = st.sampled_from([*valid_row(), "transaction_id", "transactions", "V9", "amount"])
rows = st.builds(lambda changes: valid_row(**changes), st.dictionaries(names, cells, max_size=3))
documents = st.one_of(
    rows,
    st.lists(rows, max_size=4),
    st.lists(rows, max_size=3).map(lambda some: {"transactions": some}),
    st.recursive(cells, st.lists, max_leaves=5),
)
bodies = st.one_of(documents.map(lambda d: json.dumps(d).encode()), st.binary(max_size=60))
requests = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["/predict", "/anomaly", "/predict/", "/%70redict"]),
        "method": st.sampled_from(["POST"] * 8 + ["GET", "PUT", "OPTIONS", "HEAD"]),
        "query_string": st.sampled_from(["", "explain=true", "anomaly=1", "explain=2", "a=b&a"]),
        "data": bodies,
        "content_type": st.sampled_from(
            ["application/json"] * 8
            + ["application/json; charset=utf-8", "application/json; charset=x", "text/plain", ""]
        ),
        "headers": st.sampled_from(
            [{}, {}, {"Content-Encoding": "gzip"}, {"X-Request-ID": "b a d"}, {"Accept": "*/*"}]
        ),
    }
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=requests)
def test_lane_answers_as_flask_does_to_the_last_byte(clients, request):
    fast, slow = (answered(client, request) for client in clients)

    assert fast == slow


def answered(client, request):
    """Return status line, headers and body; the request id is the same for both."""
    headers = {"X-Request-ID": "the-same-for-both", **request["headers"]}
    environ = EnvironBuilder(**{**request, "headers": headers}).get_environ()
    with client.open(environ) as response:
        sent = [item for item in response.headers if item[0] != "X-Request-ID"]
        body = response.data
        if response.headers["X-Request-ID"] != "the-same-for-both":
            body = body.replace(response.headers["X-Request-ID"].encode(), b"*")
        return response.status, sent, body


scored = ["/predict", "/anomaly", "/fraud/predict", "/fraud/anomaly"]
odd = [
    "/predict/",
    "//predict",
    "/%70redict",
    "/predict%2F",
    "/predict%00",
    "/predict;a=b",
    "/./predict",
    "/a/../predict",
    "/PREDICT",
    "/predict%20",
    "/predict%ff",
    "/fraud",
    "/fraud//predict",
    "/fraud%2Fpredict",
    "/",
    "//",
    "*",
    "/health",
    "/docs",
    "/static/x",
]
paths = st.one_of(st.sampled_from(scored), st.sampled_from(odd))
host_parts = [
    "x",
    "a_b",
    "A",
    "",
    "xn--a",
    "a" * 63,
    "a" * 64,
    "%41",
    "(",
    "*",
    "\xe9",
    "@",
    ",",
    " ",
]
hosts = st.one_of(
    st.builds(
        lambda parts, port: ".".join(parts) + port,
        st.lists(st.sampled_from(host_parts), min_size=1, max_size=4),
        st.sampled_from(["", "", ":", ":80", ":99999", ":x", ":80:80"]),
    ),
    st.sampled_from(["127.0.0.1:8000", "[::1]", "[::1]:8000", "[::1", "::1", "[v1.a]"]),
)
fields = st.lists(
    st.sampled_from(
        [
            "Upgrade: websocket",
            "Upgrade: WebSocket",
            "Upgrade: h2c",
            "Connection: Upgrade",
            "Connection: keep-alive, upgrade",
            "Connection: close",
            "Sec-WebSocket-Key: x",
            "Content-Type: application/json",
            "Forwarded: host=y",
            "X-Forwarded-Host: y",
            "X-Forwarded-Prefix: /y",
            "X-HTTP-Method-Override: GET",
            "Authorization: x",
            "Expect: 100-continue",
            "Range: bytes=0-1",
            "If-None-Match: *",
            "Accept: text/html",
            "Cookie: a=b",
        ]
    ),
    max_size=4,
    unique_by=lambda field: field.partition(":")[0],
)
methods = st.sampled_from(["POST"] * 6 + ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])
queries = st.sampled_from(
    ["", "", "?", "?explain=1", "?a=b", "?%zz", "?explain=%ff", "??", "?\xe9"]
)


class Epoch(Clock):
    """A clock that stands."""

    def line(self):
        """Return a Date header."""
        return "Date: Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.fixture(scope="module", params=["", "/fraud"])
def applications(request, model_dir):
    """Return the service with the lane and without, mounted somewhere."""
    mount = {"MODEL_DIR": model_dir, "MOUNT_PATH": request.param}
    return [create_app({**mount, "LANE": lane}) for lane in (True, False)]


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=methods,
    prefix=st.sampled_from(["", "", "http://y", "HTTPS://y_z"]),
    path=paths,
    query=queries,
    host=hosts,
    fields=fields,
    protocol=st.sampled_from(["1.1", "1.0"]),
    is_read_by_us=st.booleans(),
)
def test_lane_answers_every_head_as_flask_does(
    applications, method, prefix, path, query, host, fields, protocol, is_read_by_us
):
    if is_read_by_us:
        lines = [f"{method} {prefix}{path}{query} HTTP/{protocol}", f"Host: {host}", *fields]
        try:
            environ = HeadReader(8190, 100, 8190).read("\r\n".join(lines).encode("latin-1")).environ
        except RefusedError:
            return  # it never gets as far as either
    else:  # as other servers hand it over
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query[1:]}
        environ |= {"HTTP_HOST": host, "SERVER_PROTOCOL": f"HTTP/{protocol}"}
        for name, _, value in (field.partition(": ") for field in fields):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")

    fast, slow = (wire(application, environ) for application in applications)

    assert fast == slow


def wire(application, environ):
    """Return all that goes over the wire for a head and a transaction."""
    surroundings = EnvironBuilder().get_environ() | environ | {"HTTP_X_REQUEST_ID": "the-same"}
    body = json.dumps(valid_row()).encode()
    return respond(application, surroundings, body, Epoch(), is_last=False).wire


@pytest.mark.parametrize("path", ["//predict", "///anomaly", "//health", "//", "//model"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_slashes_too_many_lead_nowhere(clients, path, method):
    for client in clients:
        response = client.open(environ_overrides={"PATH_INFO": path}, method=method, json={})

        assert response.status_code == 404
        assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("lane", [True, False])
def test_failure_in_scoring_is_a_500_without_its_text(model_dir, monkeypatch, lane):
    app = create_app({"MODEL_DIR": model_dir, "LANE": lane})
    champion = app.extensions["fraudscore"].current()
    monkeypatch.setitem(champion.artifact.scorer.__dict__, "_folded", "broken within")

    response = app.test_client().post("/predict", json=valid_row())

    assert response.status_code == 500
    assert response.content_type == "application/problem+json"
    assert b"broken" not in response.data
    assert b"logits" not in response.data
    assert response.get_json()["request_id"] == response.headers["X-Request-ID"]
