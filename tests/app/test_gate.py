"""The gate: who may come in, what it says to the others, and what it never writes down."""

import json
import logging
import time

import pytest
from werkzeug.test import Client, EnvironBuilder

from app import create_app
from app.access.exposure import warn_if_exposed
from app.access.keys import APIKey, write_keys
from app.telemetry import JSONFormatter
from model.errors import ConfigurationError
from tests.app.test_errors import assert_problem
from tests.factories import valid_row

OPENABLE = ["/model", "/metrics", "/docs", "/openapi.json"]
HEALTH = ["/health", "/health/ready", "/health/live"]


@pytest.fixture
def guarded(model_dir, tmp_path):
    """Return a function that builds a service with a key, and a client of it."""

    def build(**settings):
        path = tmp_path / "keys.json"
        write_keys(path, (checkout,))
        settings = {"MODEL_DIR": model_dir, "KEYS_FILE": path, **settings}
        return create_app(settings).test_client()

    checkout, build.secret = APIKey.generate("checkout")
    return build


def carrying(secret):
    """Return the ways to send a key."""
    return [{"Authorization": f"Bearer {secret}"}, {"X-API-Key": secret}]


@pytest.mark.parametrize("lane", [True, False])
def test_request_with_a_key_is_answered(guarded, lane):
    client = guarded(LANE=lane)

    for headers in [*carrying(guarded.secret), {"Authorization": f"bearer  {guarded.secret}"}]:
        assert client.post("/predict", json=valid_row(), headers=headers).status_code == 200
        assert client.get("/model", headers=headers).status_code == 200


WRONG = {
    "none": {},
    "wrong": {"Authorization": "Bearer wrong"},
    "wrong elsewhere": {"X-API-Key": "wrong"},
    "empty": {"X-API-Key": ""},
    "no key": {"Authorization": "Bearer"},
    "not ASCII": {"X-API-Key": "schlüssel"},
    "long": {"X-API-Key": "x" * 8000},
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("path", ["/predict", "/anomaly", "/nothing", "/health/", "/health/x"])
def test_request_without_a_key_is_401_and_learns_how_to_send_one(guarded, path, headers):
    response = guarded().post(path, json=valid_row(), headers=headers)

    assert_problem(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "form", ["Bearer {}\xa0", "Bearer \xa0{}", "Bearer\xa0{}", "Bearer {}\x85"]
)
def test_key_with_what_only_python_takes_for_white_space_is_another_key(guarded, form):
    headers = {"Authorization": form.format(guarded.secret)}

    assert guarded().get("/model", headers=headers).status_code == 401


@pytest.mark.parametrize("path", OPENABLE)
def test_route_that_can_be_opened_needs_a_key_until_it_is(guarded, path):
    assert guarded().get(path).status_code == 401
    assert guarded(OPEN_ROUTES=path).get(path).status_code != 401


def test_open_route_opens_what_is_below_it_and_nothing_else(guarded):
    client = guarded(OPEN_ROUTES="/docs, /model")

    answers = {path: client.get(path).status_code for path in ("/docs/x", "/docsx", "/metrics")}

    assert answers == {"/docs/x": 404, "/docsx": 401, "/metrics": 401}
    assert client.post("/predict", json=valid_row()).status_code == 401


def test_other_scheme_of_authorization_leaves_the_key_to_its_own_header(guarded):
    headers = {"Authorization": "Basic dXNlcjpwYXNz", "X-API-Key": guarded.secret}

    assert guarded().get("/model", headers=headers).status_code == 200


def test_bare_address_needs_no_key_and_has_no_limit(guarded):
    client = guarded(RATE_LIMIT="1/day")

    assert {client.get("/").status_code for _ in range(20)} == {302}
    assert client.get("/docs").status_code == 401


@pytest.mark.parametrize("path", HEALTH)
def test_health_needs_no_key_and_has_no_limit(guarded, path):
    client = guarded(RATE_LIMIT="1/day")

    assert {client.get(path).status_code for _ in range(20)} == {200}


def test_service_without_keys_and_limits_has_no_gate(model_dir):
    app = create_app({"MODEL_DIR": model_dir})

    assert app.wsgi_app._gate is None
    assert app.test_client().get("/model").status_code == 200


def test_keys_and_addresses_have_their_own_limits(guarded):
    client = guarded(RATE_LIMIT="2/day", OPEN_ROUTES="/model")
    key = {"X-API-Key": guarded.secret}

    def statuses(**options):
        return [client.get("/model", **options).status_code for _ in range(3)]

    assert statuses() == [200, 200, 429]
    assert statuses(headers=key) == [200, 200, 429]
    assert statuses(environ_base={"REMOTE_ADDR": "192.0.2.7"}) == [200, 200, 429]


def test_forwarded_address_counts_only_behind_a_trusted_proxy(guarded):
    def statuses(**settings):
        client = guarded(RATE_LIMIT="1/day", OPEN_ROUTES="/model", **settings)
        sent = [{"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1")]
        return [client.get("/model", headers=headers).status_code for headers in sent]

    assert statuses() == [200, 429, 429]
    assert statuses(TRUSTED_PROXIES="127.0.0.1") == [200, 200, 429]


def test_guesses_of_a_key_count_against_the_address(guarded):
    client = guarded(RATE_LIMIT="2/day")
    guesses = [{"X-API-Key": f"guess-{i}"} for i in range(3)]

    statuses = [client.get("/model", headers=headers).status_code for headers in guesses]

    assert statuses == [401, 401, 429]
    assert client.get("/model", headers={"X-API-Key": guarded.secret}).status_code == 200


def test_request_over_the_limit_is_429_and_says_when_to_come_back(guarded):
    client = guarded(RATE_LIMIT="1/hour")
    headers = {"X-API-Key": guarded.secret}
    client.get("/model", headers=headers)

    response = client.get("/model", headers=headers)

    document = assert_problem(response, 429)
    assert document["detail"].startswith("More than 1/hour. Try again in ")
    assert 3590 <= int(response.headers["Retry-After"]) <= 3600
    assert response.headers["RateLimit-Policy"] == '"1/hour";q=1;w=3600'
    assert response.headers["RateLimit"] == f'"1/hour";r=0;t={response.headers["Retry-After"]}'


def test_lane_turns_away_as_flask_does_to_the_last_byte(guarded, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)  # or seconds could pass between the two
    requests = [
        {"path": path, "method": method, "headers": {"X-Request-ID": "r", **headers}}
        for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": guarded.secret})
        for path in ("/predict", "/anomaly", "/nothing", "/model", "/health")
        for method in ("POST", "GET", "HEAD", "OPTIONS")
    ]

    def answers(lane):
        client = Client(guarded(LANE=lane, RATE_LIMIT="25/hour").application)
        for request in requests:
            response = client.open(EnvironBuilder(**request).get_environ())
            yield response.status, list(response.headers), response.data

    fast, slow = list(answers(True)), list(answers(False))

    assert fast == slow
    assert {int(status[:3]) for status, _, _ in fast} >= {200, 401, 404, 405, 415, 429}


@pytest.mark.parametrize("path", ["/predict", "/nothing"])
def test_answer_to_head_has_the_length_and_no_body(guarded, path):
    environ = EnvironBuilder(path, method="HEAD").get_environ()
    started = []

    body = guarded().application.wsgi_app(environ, lambda *given: started.append(given))

    ((status, headers),) = started
    assert status == "401 UNAUTHORIZED"
    assert int(dict(headers)["Content-Length"]) > 100
    assert b"".join(body) == b""


def test_name_of_the_key_is_in_the_log_line(guarded, capfd):
    client = guarded()

    client.post("/predict", json=valid_row(), headers={"X-API-Key": guarded.secret})
    client.post("/predict", json=valid_row())

    known, unknown = map(json.loads, capfd.readouterr().out.splitlines())
    assert (known["client"], known["status"]) == ("checkout", 200)
    assert "client" not in unknown
    assert unknown["status"] == 401


def test_requests_are_counted_by_the_name_of_the_key(guarded):
    client = guarded(OPEN_ROUTES="/metrics", RATE_LIMIT="1000/day")
    for secret in (guarded.secret, guarded.secret, "wrong"):
        client.get("/model", headers={"X-API-Key": secret})

    text = client.get("/metrics").text

    assert 'fraud_client_requests_total{client="checkout"} 2.0' in text
    assert text.count("fraud_client_requests_total{") == 1
    assert "fraud_workers_keys_stale 0.0" in text
    assert "fraud_rate_limit_redis_failures_total 0.0" in text


class Broken:
    """Stands where the networks were; whatever is asked of it fails, in words of the request."""

    values = "marker-category", 4000123.25

    def __getattr__(self, name):
        raise KeyError(self.values[0]) from ValueError(self.values[1])


@pytest.mark.parametrize("lane", [True, False])
def test_no_log_line_holds_a_key_or_a_value(guarded, caplog, capfd, monkeypatch, lane):
    caplog.set_level(logging.DEBUG)
    client = guarded(LANE=lane, RATE_LIMIT="6/day", LOG_LEVEL="DEBUG")
    champion = client.application.extensions["fraudscore"].current()
    values = {"Amount": 4000123.25, "merchant_category": "marker-category"}
    values |= {"transaction_id": "marker-id", "marker-field": 1}
    good = {name: value for name, value in values.items() if name != "marker-field"}

    def send(path, row, secret):
        headers = {"X-API-Key": secret, "X-Request-ID": "marker with spaces"}
        address = {"REMOTE_ADDR": "192.0.2.99"}
        body = json.dumps(valid_row(**row))
        options = {"content_type": "application/json", "headers": headers}
        return client.post(path, data=body, environ_base=address, **options).status_code

    statuses = [
        send("/predict", good, guarded.secret),
        send("/predict", values, guarded.secret),
        send("/anomaly?marker-option=1", good, guarded.secret),
        send("/marker-path", good, guarded.secret),
        send("/predict", good, "marker-key"),
    ]
    # What breaks may quote the value that broke it.
    monkeypatch.setitem(champion.artifact.scorer.__dict__, "_folded", Broken())
    statuses += [send("/predict", good, guarded.secret) for _ in range(3)]

    assert statuses == [200, 422, 422, 404, 401, 500, 500, 429]
    others = (JSONFormatter().format(record) for record in caplog.records)
    written = "\n".join([capfd.readouterr().out, *others])
    assert written.count('"message":"request"') == len(statuses)
    assert "checkout" in written
    assert written.count('"exception"') == 2
    for planted in (guarded.secret, "marker", "4000123", "192.0.2.99"):
        assert planted not in written


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


@pytest.mark.parametrize("lane", [True, False])
def test_every_answer_carries_the_security_headers_once(guarded, lane):
    client = guarded(LANE=lane)
    client.application.get("/break")(lambda: 1 / 0)
    headers = {"X-API-Key": guarded.secret, "Origin": "https://elsewhere.example"}

    answers = [
        client.post("/predict", json=valid_row(), headers=headers),
        client.post("/predict", json={}, headers=headers),
        client.post("/predict", json=valid_row()),
        client.get("/nothing", headers=headers),
        client.get("/break", headers=headers),
        client.options("/predict", headers=headers),
        client.get("/health", headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [200, 422, 401, 404, 500, 200, 200]
    for answer in answers:
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers.getlist(name) == [value]
        assert not any(name.startswith("Access-Control-") for name, _ in answer.headers)


def test_page_may_say_its_own_content_security_policy(app):
    app.get("/page")(lambda: ("page", {"content-security-policy": "default-src 'self'"}))

    response = app.test_client().get("/page")

    assert response.headers.getlist("Content-Security-Policy") == ["default-src 'self'"]
    assert response.headers.getlist("Referrer-Policy") == ["no-referrer"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPEN_ROUTES", "/predict"),
        ("OPEN_ROUTES", "/model;/docs"),
        ("OPEN_ROUTES", "model"),
        ("TRUSTED_PROXIES", "proxy.local"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("KEYS_FILE", ""),
        ("RATE_LIMIT", "often"),
    ],
)
def test_setting_that_cannot_work_stops_the_start_by_name(model_dir, name, value):
    with pytest.raises(ConfigurationError, match=f"FRAUDSCORE_{name} must"):
        create_app({"MODEL_DIR": model_dir, name: value})


def test_address_of_redis_is_not_in_the_printed_settings():
    from app.config import Settings

    assert "secret" not in repr(Settings.load({"FRAUDSCORE_REDIS_URL": "redis://:secret@h"}, {}))


@pytest.mark.parametrize(
    ("name", "environ", "is_told"),
    [
        (("0.0.0.0", 8000), {}, True),  # noqa: S104 (what a container listens on)
        (("::", 8000, 0, 0), {}, True),
        (("10.1.2.3", 8000), {}, True),
        (("127.0.0.1", 8000), {}, False),
        (("::1", 8000, 0, 0), {}, False),
        (("::ffff:127.0.0.1", 8000, 0, 0), {}, False),
        (("fe80::1%eth0", 8000, 0, 2), {}, True),
        ("/run/fraudscore.sock", {}, False),
        (("0.0.0.0", 8000), {"FRAUDSCORE_KEYS_FILE": "keys.json"}, False),  # noqa: S104
    ],
)
def test_start_without_keys_warns_where_others_can_connect(caplog, name, environ, is_told):
    warn_if_exposed([("127.0.0.1", 1), name], environ)

    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert bool(told) == is_told
    if is_told:
        ((level, message),) = told
        assert level == "WARNING"
        assert f"{name[0]}:{name[1]}" in message
        assert "FRAUDSCORE_KEYS_FILE" in message
