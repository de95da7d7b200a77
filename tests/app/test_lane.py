"""The lane gives the very answers that Flask gives, for good requests and for bad ones."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, EnvironBuilder

from app import create_app
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
        "path": st.sampled_from(["/predict", "/anomaly", "/predict/", "//predict", "/%70redict"]),
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
