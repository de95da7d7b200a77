"""The Python client keeps its deadline and its memory, whatever a server does."""

import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.client import Client, ClientError, ServiceUnavailableError, UnexpectedAnswerError
from tests.app.faulty import Status, faulty
from tests.app.gunicorn import DEADLINE_S, wait_for

ROW = {"transaction_id": "t-1", "Amount": 1.0}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = json.dumps(
    {
        "predictions": [{"probability": 0.5, "score": 500, "decision": "review"}],
        "model": {"name": "m", "version": "1"},
    }
).encode()
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
PATIENCE_S = 30  # how long a server here drips before it gives a proper answer after all


class Speaking:
    """A server of one connection at a time that says what it is told to, and hears the end."""

    def __init__(self, speak):
        self._speak = speak
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.is_over = threading.Event()
        self.connections = 0
        self.broken = 0  # connections that the client broke off
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self.is_over.is_set():
                    return
                self.connections += 1
                try:
                    connection.recv(65536)
                    for piece in self._speak(self):
                        connection.sendall(piece)
                except OSError:
                    self.broken += 1

    def drip(self, data):
        """Give one byte at a time, and the rest when it has taken far too long."""
        end = time.monotonic() + PATIENCE_S
        for place in range(len(data)):
            if self.is_over.wait(0.01) or time.monotonic() > end:
                yield data[place:]
                return
            yield data[place : place + 1]

    def close(self):
        self.is_over.set()
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()


@contextmanager
def speaking(speak):
    """Run such a server."""
    server = Speaking(speak)
    try:
        yield server
    finally:
        server.close()


def dripping_head(server):
    yield from server.drip(HEAD + b"X-Padding: " + b"a" * 60_000 + b"\r\n\r\n")


def dripping_body(server):
    yield HEAD + b"Content-Length: 60000\r\n\r\n"
    yield from server.drip(BODY + b" " * (60_000 - len(BODY)))


def dripping_chunks(server):
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from server.drip(b"1\r\n \r\n" * 10_000 + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY))


def endless_interim_answers(server):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and not server.is_over.is_set():
        yield b"HTTP/1.1 100 Continue\r\n\r\n"
    yield WHOLE


def endless_trailers(server):
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    yield b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)
    yield from server.drip(b"X-Padding: a\r\n" * 10_000 + b"\r\n")


def silence(server):
    server.is_over.wait(PATIENCE_S)
    yield WHOLE


SLOW = [
    dripping_head,
    dripping_body,
    dripping_chunks,
    endless_interim_answers,
    endless_trailers,
    silence,
]


@pytest.mark.parametrize("speak", SLOW)
def test_deadline_holds_and_nothing_of_the_attempt_stays(speak):
    with speaking(speak) as server, Client(server.url, deadline=0.3) as client:
        with pytest.raises(ServiceUnavailableError, match=r"the deadline of 0\.3 s") as caught:
            client.predict(ROW)

        wait_for(lambda: attempts() == 0, "the end of the attempt")
    assert server.connections == 1
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.status is None


def attempts():
    """Return how many attempts are under way."""
    return sum(thread.name == "fraudscore request" for thread in threading.enumerate())


def test_deadline_holds_while_a_name_is_looked_up(monkeypatch):
    is_over = threading.Event()

    def look_up(*_, **__):
        is_over.wait(PATIENCE_S)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with (
        Client("http://scorer.internal:8000", deadline=0.2) as client,
        pytest.raises(ServiceUnavailableError, match="deadline"),
    ):
        client.predict(ROW)
    is_over.set()
    wait_for(lambda: attempts() == 0, "the end of the attempt")


def test_connection_that_comes_after_the_deadline_is_not_used(monkeypatch):
    is_over = threading.Event()
    look_up = socket.getaddrinfo

    def look_up_late(*given, **options):
        is_over.wait(PATIENCE_S)
        return look_up(*given, **options)

    with faulty() as server, Client(server.url, deadline=0.2) as client:
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", look_up_late)
            with pytest.raises(ServiceUnavailableError, match="deadline"):
                client.predict(ROW)
            is_over.set()
            wait_for(lambda: attempts() == 0, "the end of the attempt")

        assert server.requests == []


def test_connections_are_used_again():
    with faulty(*[Status(503)] * 2) as server:
        with Client(server.url, sleep=lambda _: None) as client:
            for _ in range(3):
                client.predict(ROW)

        assert len(server.requests) == 5
        assert len(server.connections) == 1


def test_context_of_the_caller_is_that_of_the_request():
    """Tracing libraries keep the span of the caller there."""
    from contextvars import ContextVar

    span, seen = ContextVar("span"), []
    span.set("ours")

    with faulty() as server, Client(server.url) as client:
        client._session.hooks["response"].append(lambda *_, **__: seen.append(span.get(None)))
        client.predict(ROW)

    assert seen == ["ours"]


def test_answer_may_be_as_large_as_was_said_and_no_larger():
    with (
        faulty(Status(200, {}, BODY)) as server,
        Client(server.url, largest_answer=len(BODY)) as client,
    ):
        assert client.predict(ROW).score == 500
    with faulty(Status(200, {}, BODY + b" ")) as server:
        with (
            Client(server.url, largest_answer=len(BODY)) as client,
            pytest.raises(UnexpectedAnswerError, match=f"larger than {len(BODY)} bytes") as caught,
        ):
            client.predict(ROW)

        assert len(server.requests) == 1
    assert caught.value.status == 200


def endless_body(server):
    yield HEAD + b"\r\n"
    while not server.is_over.is_set():
        yield b" " * 65536


def test_answer_without_an_end_is_broken_off():
    with speaking(endless_body) as server, Client(server.url, largest_answer=10**6) as client:
        with pytest.raises(UnexpectedAnswerError, match="larger than 1000000 bytes"):
            client.predict(ROW)

        wait_for(lambda: server.broken == 1, "the end of the connection")


@pytest.mark.parametrize("field", [b"X: " + b"a" * 70_000, b"X: a\r\n" * 101, b"X" * 70_000])
def test_header_is_bounded(field):
    def speak(_):
        yield HEAD + field + b"\r\n" + WHOLE[len(HEAD) :]

    with (
        speaking(speak) as server,
        Client(server.url, retries=0) as client,
        pytest.raises(ServiceUnavailableError, match="no answer"),
    ):
        client.predict(ROW)


def test_answer_is_not_unpacked():
    with (
        faulty(Status(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b")) as server,
        Client(server.url) as client,
        pytest.raises(UnexpectedAnswerError, match="compressed, as gzip, unasked"),
    ):
        client.predict(ROW)
    assert server.requests[0][1]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX: y", "schlüssel"])
def test_key_that_no_header_can_hold_is_refused_at_once(key):
    with pytest.raises(ValueError, match="api_key"):
        Client("http://localhost", key)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(
            st.sampled_from(["predictions", "model", "errors", "transactions", "detail", "0", "x"]),
            part,
            max_size=4,
        )
    ),
    max_leaves=12,
)
DEEP = b'{"detail":' + b"[" * 100_000
SOMETIMES = {"Retry-After": "Mon, 32 Foo 99999 -0000", "X-Request-ID": "a\x9b31mb"}


@pytest.fixture(scope="module")
def changeable():
    """Return a server whose plays a test replaces, and a client that asks once."""
    with faulty() as server, Client(server.url, retries=0, deadline=DEADLINE_S) as client:
        yield server, client


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.sampled_from([200, 204, 302, 400, 401, 422, 429, 500, 503]),
    st.sampled_from([{}, SOMETIMES, {"Retry-After": "9" * 5000}, {"Retry-After": "²"}]),
    JSON.map(lambda document: json.dumps(document).encode()) | st.binary() | st.just(DEEP),
)
def test_whatever_is_answered_is_an_answer_or_one_line(changeable, status, headers, body):
    server, client = changeable
    server.plays[:] = [Status(status, headers, body)]

    try:
        client.predict(ROW)
    except ClientError as error:
        text = str(error)
        assert text.isprintable()
        assert len(text) < 5000


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_whatever_bytes_come_are_an_error_of_the_client(data, has_head):
    def speak(_):
        yield (HEAD if has_head else b"") + data

    with (
        speaking(speak) as server,
        Client(server.url, retries=0) as client,
        pytest.raises(ClientError),
    ):
        client.predict(ROW)
