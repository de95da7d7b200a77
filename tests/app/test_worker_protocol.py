"""What the worker makes of good requests: the WSGI environ, framing, connections that stay."""

import json
import socket

import pytest

from tests.app.gunicorn import receive_all, receive_answer, receive_answers

GET = b"GET /x HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def echo(serve_for_long):
    """Return a service around an application that tells what it was given."""
    return serve_for_long("tests.app.echo:application()", FRAUDSCORE_MAX_BODY_BYTES="3000000")


def environ_of(server, *parts):
    """Send one request; return the environ that the application was given."""
    with server.connect() as connection:
        connection.sendall(b"".join(parts))
        ((status, _, body),) = receive_answers(connection, 1)
    assert status == 200
    return json.loads(body)


def test_environ_is_what_wsgi_asks_for(echo):
    environ = environ_of(
        echo,
        b"POST /caf%C3%A9//%2F?a=%20b&c HTTP/1.1\r\nhost: example.org:80\r\n"
        b"Content-Type: text/plain\r\nCONTENT-LENGTH: 4\r\nX-Word:  two words \t\r\n"
        b"X-Latin: caf\xe9\r\nX-Empty:\r\n\r\nbody",
    )

    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/caf\xc3\xa9///",
        "RAW_URI": "/caf%C3%A9//%2F?a=%20b&c",
        "QUERY_STRING": "a=%20b&c",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(echo.port),
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "4",
        "HTTP_HOST": "example.org:80",
        "HTTP_X_WORD": "two words",
        "HTTP_X_LATIN": "caf\xe9",
        "HTTP_X_EMPTY": "",
        "wsgi.url_scheme": "http",
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "body": "body",
        "is_same": True,
    }
    assert environ | expected == environ
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & set(environ)


def test_environ_passes_the_validator_of_the_standard_library(serve):
    server = serve("tests.app.echo:validated()")

    assert server.get("/x?y=1").status_code == 200
    assert server.post("/x", {}).status_code == 200


def test_repeated_fields_are_joined_in_their_order(echo):
    environ = environ_of(echo, GET, b"X-A: 1\r\nX-B: 2\r\nx-a: 3\r\nX-A: 4, 5\r\n\r\n")

    assert environ["HTTP_X_A"] == "1,3,4, 5"


def test_field_with_an_underscore_cannot_pass_for_another(echo):
    environ = environ_of(echo, GET, b"X_Request_ID: forged\r\nContent_Length: 9\r\n\r\n")

    assert "HTTP_X_REQUEST_ID" not in environ
    assert "CONTENT_LENGTH" not in environ


@pytest.mark.parametrize("target", [b"http://other:81/x?y=1", b"HTTP://other:81/x?y=1"])
def test_whole_uri_as_target_names_host_and_path(echo, target):
    environ = environ_of(echo, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")

    assert environ["PATH_INFO"] == "/x"
    assert environ["QUERY_STRING"] == "y=1"
    assert environ["HTTP_HOST"] == "other:81"


def test_asterisk_is_a_target_of_options_alone(echo):
    environ = environ_of(echo, b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")

    assert environ["PATH_INFO"] == "*"
    assert echo.raw(b"GET * HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 400


def test_same_head_is_read_anew_for_every_body(echo):
    head = POST + b"Content-Length: 3\r\n\r\n"

    with echo.connect() as connection:
        for body in (b"one", b"two", b"six"):
            connection.sendall(head + body)
            ((_, _, answer),) = receive_answers(connection, 1)
            assert json.loads(answer)["body"] == body.decode()


def test_pipelined_requests_are_answered_in_their_order(echo):
    """More than are answered in one go, of every kind of framing, cut at odd places."""
    sent = b""
    for number in range(100):
        text = b"%d" % number
        sent += [
            POST + b"Content-Length: %d\r\n\r\n%b" % (len(text), text),
            POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(text), text),
        ][number % 2]

    with echo.connect() as connection:
        connection.sendall(sent[:777])
        connection.sendall(sent[777:])
        answers = receive_answers(connection, 100)

    assert [json.loads(body)["body"] for _, _, body in answers] == [str(n) for n in range(100)]


def test_pipelined_requests_are_all_answered_when_the_client_has_finished_sending(echo):
    with echo.connect() as connection:
        connection.sendall((GET + b"\r\n") * 50)
        connection.shutdown(socket.SHUT_WR)
        received = receive_all(connection)

    assert received.count(b"HTTP/1.1 200 OK\r\n") == 50


def test_body_may_come_byte_by_byte(echo):
    sent = POST + b"Content-Length: 30\r\n\r\n" + bytes(range(65, 95))

    with echo.connect() as connection:
        for start in range(len(sent)):
            connection.send(sent[start : start + 1])
        ((_, _, body),) = receive_answers(connection, 1)

    assert json.loads(body)["body"] == bytes(range(65, 95)).decode()


@pytest.mark.parametrize("cut", range(1, 12))
def test_chunks_with_extensions_and_trailers_are_one_body_however_they_are_cut(echo, cut):
    head = POST + b"Transfer-Encoding: Chunked\r\n\r\n"
    chunks = (
        b'3;name="a value"\r\none\r\n00A\t; b\r\n, two, six\r\n0;last\r\nX-Sum: 1\r\nY:\r\n\r\n'
    )

    with echo.connect() as connection:
        connection.sendall(head)
        for start in range(0, len(chunks), cut):
            connection.sendall(chunks[start : start + cut])
        connection.sendall(GET + b"\r\n")
        first, second = receive_answers(connection, 2)

    assert json.loads(first[2])["body"] == "one, two, six"
    assert "HTTP_X_SUM" not in json.loads(first[2])
    assert json.loads(second[2])["body"] == ""


def test_head_is_answered_with_the_length_that_get_would_have(echo):
    with echo.connect() as connection:
        connection.sendall(b"HEAD /large?bytes=1234 HTTP/1.1\r\nHost: x\r\n\r\n" + GET + b"\r\n")
        stream = connection.makefile("rb")
        head = b"".join(iter(stream.readline, b"\r\n"))
        following = receive_answer(stream)

    assert b"Content-Length: 1234\r\n" in head
    assert following[0] == 200


def test_answer_without_content_has_no_length(echo):
    with echo.connect() as connection:
        connection.sendall(b"GET /parts?none=1 HTTP/1.1\r\nHost: x\r\n\r\n" + GET + b"\r\n")
        first, second = receive_answers(connection, 2)

    assert (first[0], first[2], second[0]) == (204, b"", 200)
    assert "content-length" not in first[1]


def test_answer_in_pieces_leaves_as_one_with_its_length(echo):
    answer = echo.get("/parts")

    assert answer.content == b"one,two"
    assert answer.headers["Content-Length"] == "7"


def test_application_may_change_its_mind_and_write(echo):
    answer = echo.get("/write")

    assert answer.status_code == 202
    assert answer.content == b"first,second"


def test_exception_of_the_application_is_500_without_its_text(echo):
    with echo.connect() as connection:
        connection.sendall(b"GET /raise HTTP/1.1\r\nHost: x\r\n\r\n" + GET + b"\r\n")
        first, second = receive_answers(connection, 2)

    assert (first[0], second[0]) == (500, 200)
    assert json.loads(first[2])["status"] == 500
    assert b"secret" not in first[2]


def test_body_of_many_small_chunks_is_answered_and_so_is_what_follows(echo):
    """It is decoded over many turns of the loop, in which nothing more is read."""
    chunks = b"7\r\n       \r\n" * 40_000 + b"0\r\n\r\n"
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    with echo.connect() as connection:
        connection.sendall(head + chunks + GET + b"\r\n" + head + chunks)
        connection.shutdown(socket.SHUT_WR)
        answers = receive_answers(connection, 3)

    assert [len(json.loads(body)["body"]) for _, _, body in answers] == [280_000, 0, 280_000]


@pytest.mark.parametrize(
    "query", ["X-A=b%0d%0aX-B:+c", "X-A=b%0aX-B:+c", "X-A=b%0dc", "Transfer-Encoding=chunked"]
)
def test_application_cannot_break_the_framing(echo, query):
    answer = echo.get(f"/x?{query}")

    assert answer.status_code == 500
    assert "X-B" not in answer.headers


def test_length_is_counted_whatever_the_application_says(echo):
    with echo.connect() as connection:
        connection.sendall(b"GET /x?Content-Length=1 HTTP/1.1\r\nHost: x\r\n\r\n" + GET + b"\r\n")
        first, second = receive_answers(connection, 2)

    assert json.loads(first[2])["QUERY_STRING"] == "Content-Length=1"
    assert second[0] == 200


def test_every_answer_has_one_date(echo):
    _, headers, _ = _answer(echo, GET + b"\r\n")

    assert headers["date"].endswith(" GMT")


def _answer(server, sent):
    """Send one request; return its answer."""
    with server.connect() as connection:
        connection.sendall(sent)
        return receive_answers(connection, 1)[0]


@pytest.mark.parametrize(
    ("version", "option", "expected", "announced"),
    [
        (b"1.1", b"", True, None),
        (b"1.1", b"Connection: keep-alive\r\n", True, None),
        (b"1.1", b"Connection: close\r\n", False, "close"),
        (b"1.1", b"Connection: Upgrade, Close\r\n", False, "close"),
        (b"1.0", b"", False, "close"),
        (b"1.0", b"Connection: Keep-Alive\r\n", True, "keep-alive"),
    ],
)
def test_connection_stays_when_both_sides_want_it(echo, version, option, expected, announced):
    sent = b"GET /x HTTP/" + version + b"\r\nHost: x\r\n" + option + b"\r\n"

    with echo.connect() as connection:
        stream = connection.makefile("rb")
        connection.sendall(sent)
        first = receive_answer(stream)
        if expected:
            connection.sendall(sent)
            second = receive_answer(stream)
        else:
            assert stream.read() == b""

    assert first[0] == 200
    assert first[1].get("connection") == announced
    assert not expected or second[0] == 200


def test_http_1_0_needs_no_host(echo):
    assert environ_of(echo, b"GET /x HTTP/1.0\r\n\r\n")["SERVER_PROTOCOL"] == "HTTP/1.0"


def test_offer_to_upgrade_is_ignored(echo):
    sent = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab"

    assert environ_of(echo, POST, sent)["body"] == "ab"


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 4\r\n", b"body"),
        (b"Transfer-Encoding: chunked\r\n", b"4\r\nbody\r\n0\r\n\r\n"),
    ],
    ids=["length", "chunked"],
)
def test_go_ahead_comes_before_the_body(echo, framing, body):
    with echo.connect() as connection:
        connection.sendall(POST + framing + b"Expect: 100-Continue\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        ((status, _, answer),) = receive_answers(connection, 1)

    assert status == 200
    assert json.loads(answer)["body"] == "body"


def test_no_go_ahead_for_a_body_that_is_already_there_or_too_old(echo):
    length = b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    old = POST.replace(b"1.1", b"1.0")

    assert environ_of(echo, POST, length, b"body")["body"] == "body"
    assert echo.raw(old, length, b"body")[0] == 200


def test_no_go_ahead_for_a_body_that_is_too_large(echo):
    status, head, body = echo.raw(POST, b"Content-Length: 3000001\r\nExpect: 100-continue\r\n\r\n")

    assert status == 413
    assert "connection: close" in head
    assert "3000000 bytes" in json.loads(body)["detail"]


@pytest.mark.parametrize("framing", ["stated", "chunked"])
def test_refusal_reaches_a_client_that_goes_on_sending(echo, framing):
    """Closed at once, the connection would be reset and the answer lost."""
    size = 10_000_000
    chunk = b"%x\r\n%b\r\n" % (65536, b" " * 65536)
    sent = {
        "stated": POST + b"Content-Length: %d\r\n\r\n" % size + b" " * size,
        "chunked": POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 150,
    }[framing]

    status, _, _ = echo.raw(sent)

    assert status == 413


def test_body_of_exactly_the_limit_is_taken(echo):
    body = b" " * 3_000_000

    assert (
        len(environ_of(echo, POST, b"Content-Length: 3000000\r\n\r\n", body)["body"]) == 3_000_000
    )


def test_limits_are_inclusive(echo):
    line = b"GET /" + b"a" * (4094 - 14) + b" HTTP/1.1\r\nHost: x\r\n"
    field = b"X-Long: " + b"a" * (8190 - 8) + b"\r\n"
    fields = b"".join(b"X-%d: a\r\n" % n for n in range(99))

    assert environ_of(echo, line, b"\r\n")
    assert environ_of(echo, GET, field, b"\r\n")
    assert environ_of(echo, GET, fields, b"\r\n")


def test_one_empty_line_between_requests_is_forgiven(echo):
    with echo.connect() as connection:
        connection.sendall((GET + b"\r\n" + b"\r\n") * 2)
        answers = receive_answers(connection, 2)

    assert [status for status, _, _ in answers] == [200, 200]


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (GET + b"\r\n", [200]),
        (GET + b"Connection: close\r\n\r\n", [200]),
        (GET + b"\r\n" + GET + b"Connection: close\r\n\r\n", [200, 200]),
        (GET + b"\r\n" + b"nonsense\r\n\r\n", [200, 400]),
        (GET + b"\r\n" + GET, [200, 400]),
    ],
    ids=["one", "last", "two", "nonsense", "cut short"],
)
def test_answers_kept_for_a_moment_leave_before_the_connection_ends(echo, sent, statuses):
    """With others connected, small answers leave together at the end of a turn of the loop."""
    with echo.connect() as other, echo.connect() as connection:
        other.sendall(GET + b"\r\n")
        receive_answers(other, 1)  # it is connected and stays so
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            answers = [receive_answer(stream) for _ in statuses]
            rest = stream.read()

    assert [status for status, _, _ in answers] == statuses
    assert rest == b""


@pytest.mark.parametrize("sent", [b"", GET, POST + b"Content-Length: 9\r\n\r\nab", GET + b"\r\n"])
def test_client_may_vanish_at_any_moment(echo, sent):
    """Closed with a reset, as by a process that was killed."""
    errors = [line for line in echo.log() if line["level"] == "error"]

    for _ in range(20):
        with echo.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(sent)

    assert echo.get("/x").ok
    assert [line for line in echo.log() if line["level"] == "error"] == errors
