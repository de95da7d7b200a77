"""The Python client against servers that go wrong."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.client import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Client,
    RateLimitedError,
    RequestRefusedError,
    ServiceUnavailableError,
    UnauthorizedError,
    UnexpectedAnswerError,
)
from tests.app.faulty import Status, faulty
from tests.app.gunicorn import DEADLINE_S, wait_for
from tests.app.ports import free_port

ROW = {"transaction_id": "t-1", "Amount": 1.0}


class Pauses(list):
    """Remembers how long the client wanted to wait, instead of waiting."""

    def __call__(self, seconds):
        self.append(seconds)


def patient(server, pauses, **changes):
    """Return a client that does not really wait and whose random numbers are all 0.5."""
    return Client(server.url, **{"sleep": pauses, "jitter": lambda: 0.5, **changes})


@pytest.mark.parametrize(
    "fault", [Status(502), Status(503), Status(504), Status(429), "reset", "cut"], ids=str
)
def test_what_may_pass_is_asked_again(fault):
    pauses = Pauses()

    with faulty(fault, fault) as server, patient(server, pauses) as client:
        prediction = client.predict(ROW)

    assert prediction.score == 500
    assert len(server.requests) == 3
    assert pauses == [0.5 * FIRST_PAUSE, 0.5 * FIRST_PAUSE * 2]
    assert len({headers["X-Request-ID"] for _, headers, _ in server.requests}) == 1


def test_silence_is_given_up_and_asked_again():
    # On a slow machine an answer may be given up that was on its way: asked again for as long.
    soon = {"timeout": (DEADLINE_S, 0.1), "deadline": DEADLINE_S, "retries": DEADLINE_S * 10}
    with faulty("silence") as server, patient(server, Pauses(), **soon) as client:
        prediction = client.predict(ROW)

    assert prediction.score == 500
    assert len(server.requests) >= 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 415, 422, 500, 501])
def test_what_will_not_pass_is_asked_once(status):
    pauses = Pauses()

    with (
        faulty(Status(status)) as server,
        patient(server, pauses) as client,
        pytest.raises((RequestRefusedError, UnauthorizedError, ServiceUnavailableError)) as e,
    ):
        client.predict(ROW)

    assert e.value.status == status
    assert len(server.requests) == 1
    assert pauses == []


def test_retries_end_and_the_last_answer_is_told():
    body = json.dumps({"detail": "Overloaded.", "status": 503}).encode()
    fault = Status(503, {"X-Request-ID": "r-9"}, body)

    with (
        faulty(*[fault] * 9) as server,
        patient(server, Pauses(), retries=2) as client,
        pytest.raises(ServiceUnavailableError) as caught,
    ):
        client.predict(ROW)

    assert len(server.requests) == 3
    assert (caught.value.status, caught.value.request_id) == (503, "r-9")
    assert str(caught.value) == "Overloaded. (status 503, request r-9)"


def test_pauses_are_random_and_grow_to_a_bound():
    pauses, numbers = Pauses(), iter([0.0, 0.25, 1.0] + [1.0] * 9)

    with (
        faulty(*[Status(503)] * 8) as server,
        patient(server, pauses, retries=8, jitter=lambda: next(numbers)) as client,
    ):
        client.predict(ROW)

    assert pauses[:3] == [0.0, 0.25 * FIRST_PAUSE * 2, FIRST_PAUSE * 4]
    assert pauses[-1] == LONGEST_PAUSE


@pytest.mark.parametrize("status", [429, 503])
def test_wish_to_wait_is_respected(status):
    pauses = Pauses()

    with (
        faulty(Status(status, {"Retry-After": "7"})) as server,
        patient(server, pauses) as client,
    ):
        client.predict(ROW)

    assert pauses == [7 + 0.5 * FIRST_PAUSE]


def test_wish_to_wait_may_be_a_date():
    pauses = Pauses()
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)

    with (
        faulty(Status(429, {"Retry-After": moment})) as server,
        patient(server, pauses) as client,
    ):
        client.predict(ROW)

    assert 0 < pauses[0] < 31


def test_date_that_has_passed_and_nonsense_are_no_wish():
    passed, nonsense = ({"Retry-After": text} for text in ("Wed, 21 Oct 2015 07:28:00 GMT", "soon"))
    pauses = Pauses()

    with (
        faulty(Status(429, passed), Status(429, nonsense)) as server,
        patient(server, pauses) as client,
    ):
        client.predict(ROW)

    assert pauses == [0.5 * FIRST_PAUSE, 0.5 * FIRST_PAUSE * 2]


def test_wait_beyond_the_deadline_is_not_begun():
    pauses = Pauses()

    with (
        faulty(Status(429, {"Retry-After": "3600"})) as server,
        patient(server, pauses, deadline=60) as client,
        pytest.raises(RateLimitedError) as caught,
    ):
        client.predict(ROW)

    assert caught.value.retry_after == 3600
    assert pauses == []


def test_deadline_bounds_silence_and_retries():
    with faulty(*["silence"] * 9) as server, Client(server.url, deadline=0.3) as client:
        with pytest.raises(ServiceUnavailableError) as caught:
            client.predict(ROW)
        wait_for(lambda: server.requests, "a request")

    assert caught.value.status is None
    assert caught.value.request_id == server.requests[0][1]["X-Request-ID"]
    assert len(server.requests) < 4


def test_address_where_nobody_listens_is_told_with_the_request_id():
    port, pauses = free_port(), Pauses()

    with (
        Client(f"http://127.0.0.1:{port}", sleep=pauses) as client,
        pytest.raises(ServiceUnavailableError, match=f":{port}/predict") as caught,
    ):
        client.predict(ROW)

    assert len(pauses) == 3
    assert caught.value.request_id


def test_health_is_asked_once():
    with (
        faulty(Status(503)) as server,
        patient(server, Pauses()) as client,
        pytest.raises(ServiceUnavailableError),
    ):
        client.health()

    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "kind"), [(401, UnauthorizedError), (403, UnauthorizedError)])
def test_key_is_sent_and_its_refusal_told(status, kind):
    with (
        faulty(Status(status)) as server,
        Client(server.url, "s3cret") as client,
        pytest.raises(kind) as caught,
    ):
        client.predict(ROW)

    assert server.requests[0][1]["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in str(caught.value)


def test_without_a_key_nothing_is_sent_from_netrc(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    with faulty() as server, Client(server.url) as client:
        client.predict(ROW)

    assert "Authorization" not in server.requests[0][1]


def test_connection_is_used_again_and_cookies_are_not_kept():
    with (
        faulty(Status(503, {"Set-Cookie": "a=b"})) as server,
        patient(server, Pauses(), batch_rows=2) as client,
    ):
        client.predict([ROW] * 9)

    assert len(server.requests) == 6
    assert len(server.connections) == 1
    assert not any("Cookie" in headers for _, headers, _ in server.requests)
    assert [len(json.loads(body)) for *_, body in server.requests] == [2, 2, 2, 2, 2, 1]


def test_redirect_is_not_followed():
    with (
        faulty(Status(302, {"Location": "/elsewhere"})) as server,
        Client(server.url) as client,
        pytest.raises(RequestRefusedError) as caught,
    ):
        client.predict(ROW)

    assert caught.value.status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Welcome to the proxy</html>",
        b"[]",
        b"{}",
        b'{"predictions": [], "model": {"name": "m", "version": "1"}}',
        b'{"predictions": [7], "model": {"name": "m", "version": "1"}}',
        b'{"predictions": [{"probability": 1}], "model": {"name": "m", "version": "1"}}',
    ],
)
def test_answer_that_is_something_else_is_told(body):
    with (
        faulty(Status(200, {}, body)) as server,
        Client(server.url) as client,
        pytest.raises(UnexpectedAnswerError) as caught,
    ):
        client.predict(ROW)

    assert caught.value.status == 200
    assert caught.value.request_id == server.requests[0][1]["X-Request-ID"]


def test_facts_that_a_later_service_adds_do_no_harm():
    row = {"probability": 0.5, "score": 500, "decision": "review", "novelty": 3}
    body = json.dumps({"predictions": [row], "model": {"name": "m", "version": "1"}, "node": 7})

    with faulty(Status(200, {}, body.encode())) as server, Client(server.url) as client:
        assert client.predict(ROW).identifiers == {}
