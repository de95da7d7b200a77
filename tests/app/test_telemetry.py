"""Request ids, common headers and the log line."""

import json
import logging
import sys

import pytest

from app.telemetry import JSONFormatter
from tests.factories import valid_row


def lines(caplog):
    """Return the log lines written so far, as an operator's tools would read them."""
    return [json.loads(JSONFormatter().format(record)) for record in caplog.records]


@pytest.fixture(autouse=True)
def _listen(caplog):
    caplog.set_level(logging.INFO, "app")


@pytest.mark.parametrize("given", ["a", "7f3c-9_A.b", "x" * 128])
def test_safe_request_id_is_kept(client, given):
    response = client.get("/health", headers={"X-Request-ID": given})

    assert response.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", " ", "a b", "x" * 129, 'a"b', "é", "a;b", "<script>"])
def test_unsafe_request_id_is_replaced(client, given):
    response = client.get("/health", headers={"X-Request-ID": given})

    assert response.headers["X-Request-ID"] != given
    assert len(response.headers["X-Request-ID"]) == 32


def test_request_ids_differ(client):
    ids = {client.get("/health").headers["X-Request-ID"] for _ in range(20)}

    assert len(ids) == 20


@pytest.mark.parametrize("path", ["/health", "/nothing", "/predict"])
def test_every_answer_carries_the_security_headers(client, path):
    response = client.get(path)

    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


def test_prediction_is_logged_with_what_was_decided(client, champion, caplog):
    rows = [valid_row(), valid_row(), valid_row()]

    response = client.post("/predict", json=rows, headers={"X-Request-ID": "r-1"})

    (line,) = lines(caplog)
    decisions = [row["decision"] for row in response.get_json()["predictions"]]
    assert line.pop("time").endswith("+00:00")
    assert line.pop("duration_ms") > 0
    assert line == {
        "level": "info",
        "message": "request",
        "request_id": "r-1",
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "rows": 3,
        "model": champion.artifact.version,
        "decisions": {name: decisions.count(name) for name in ("approve", "review", "block")},
        "out_of_range": line["out_of_range"],
        "unseen_categories": 0,
    }


def test_unseen_values_are_counted_in_the_line(client, caplog):
    strange = valid_row(merchant_category="never seen", V1=1e300)

    client.post("/anomaly", json=[valid_row(), strange])

    (line,) = lines(caplog)
    assert line["rows"] == 2
    assert line["unseen_categories"] == 1
    assert line["out_of_range"] >= 1
    assert line["anomalies"] in (0, 1, 2)


def test_line_of_a_refused_request_has_no_values_and_no_path(client, caplog):
    client.post("/predict", json=valid_row(V1="4000-1234-5678"))
    client.get("/4000-1234-5678?card=4000-1234-5678")

    refused, missing = lines(caplog)
    assert (refused["status"], refused["route"]) == (422, "/predict")
    assert (missing["status"], missing["route"]) == (404, None)
    assert "4000" not in json.dumps([refused, missing])


def test_line_breaks_cannot_forge_a_log_line():
    record = logging.LogRecord("app", logging.INFO, "", 0, 'a\r\n{"level":"forged"}', None, None)

    assert "\n" not in JSONFormatter().format(record)


def test_exception_is_one_line_of_json():
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        record = logging.LogRecord("app", logging.ERROR, "", 0, "failed", None, sys.exc_info())

    line = JSONFormatter().format(record)

    assert "\n" not in line
    assert "ValueError: first\nsecond" in json.loads(line)["exception"]


def test_server_error_is_logged_as_an_error(app, caplog):
    app.get("/break")(lambda: 1 / 0)

    app.test_client().get("/break", headers={"X-Request-ID": "r-2"})

    failed, request = lines(caplog)
    assert failed["request_id"] == request["request_id"] == "r-2"
    assert (failed["level"], request["level"]) == ("error", "error")
    assert "ZeroDivisionError" in failed["exception"]
    assert request["status"] == 500
