"""Requests that break the rules: each gets its 4xx and the service goes on."""

import json

import pytest

from tests.app.gunicorn import receive_all, receive_answers, wait_for

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

HEADS = {
    "length and coding": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}  ",
    "the same length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "hexadecimal length": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "empty length": POST + b"Content-Length:\r\n\r\n",
    "length of 2**64": POST + b"Content-Length: 18446744073709551618\r\n\r\n{}",
    "coding gzip": POST + b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "coding gzip, chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding chunked, gzip": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked in two fields": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "empty coding": POST + b"Transfer-Encoding:\r\n\r\n",
    "vertical tab in coding": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked over 1.0": CHUNKED.replace(b"/1.1", b"/1.0") + b"0\r\n\r\n",
    "space before colon": GET + b"Accept : */*\r\n\r\n",
    "tab before colon": GET + b"Transfer-Encoding\t: chunked\r\n\r\n",
    "no colon": GET + b"Accept\r\n\r\n",
    "no name": GET + b": */*\r\n\r\n",
    "space in name": GET + b"Acc ept: */*\r\n\r\n",
    "name beyond ASCII": GET + b"Acc\xe9pt: */*\r\n\r\n",
    "bare line feeds": b"GET /health HTTP/1.1\nHost: x\n\n",
    "one bare line feed": b"GET /health HTTP/1.1\r\nHost: x\nAccept: */*\r\n\r\n",
    "bare line feed at the end": b"GET /health HTTP/1.1\r\nHost: x\r\n\n",
    "bare carriage return": GET + b"Accept: a\rb\r\n\r\n",
    "folded field": GET + b"Accept: a,\r\n b\r\n\r\n",
    "field before the first": b"GET /health HTTP/1.1\r\n Host: x\r\n\r\n",
    "two hosts": GET + b"Host: y\r\n\r\n",
    "the same host twice": GET + b"host: x\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "list of hosts": b"GET /health HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "path in host": b"GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "user in host": b"GET /health HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "two types": POST + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
    "NUL in field": GET + b"Accept: a\0b\r\n\r\n",
    "control character in field": GET + b"Accept: a\x01b\r\n\r\n",
    "delete character in field": GET + b"Accept: a\x7fb\r\n\r\n",
    "NUL in path": b"GET /hea\0lth HTTP/1.1\r\nHost: x\r\n\r\n",
    "control character in path": b"GET /hea\x01lth HTTP/1.1\r\nHost: x\r\n\r\n",
    "path beyond ASCII": b"GET /h\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n",
    "space in path": b"GET /hea lth HTTP/1.1\r\nHost: x\r\n\r\n",
    "fragment in path": b"GET /health#top HTTP/1.1\r\nHost: x\r\n\r\n",
    "relative path": b"GET health HTTP/1.1\r\nHost: x\r\n\r\n",
    "target of a proxy": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "user in target": b"GET http://a@b/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/9.9": GET.replace(b"1.1", b"9.9") + b"\r\n",
    "HTTP/1.2": GET.replace(b"1.1", b"1.2") + b"\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /health\r\n\r\n",
    "lower-case protocol": GET.replace(b"HTTP", b"http") + b"\r\n",
    "lower-case method": GET.replace(b"GET", b"get") + b"\r\n",
    "method that is none": GET.replace(b"GET", b"HELLO") + b"\r\n",
    "PROXY line": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + GET + b"\r\n",
    "two empty lines first": b"\r\n\r\n" + GET + b"\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}
# What text in Python takes for white space, and HTTP does not.
UNICODE_SPACE = [b"\xa0chunked", b"chunked\xa0", b"\x85chunked", b"chunked\x85", b"\x85"]
BODIES = {
    "size is no number": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "size is negative": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "size has a prefix": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "size has a space before it": CHUNKED + b" 2\r\n{}\r\n0\r\n\r\n",
    "size has 16 digits": CHUNKED + b"0000000000000002\r\n{}\r\n0\r\n\r\n",
    "no size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "chunk shorter than its size": CHUNKED + b"3\r\n{}\r\n0\r\n\r\n",
    "line feed after size": CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    "line feed after chunk": CHUNKED + b"2\r\n{}\n0\r\n\r\n",
    "carriage return in extension": CHUNKED + b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "line feed in extension": CHUNKED + b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "endless size": CHUNKED + b"0" * 9000,
    "endless extension": CHUNKED + b"2;" + b"a" * 9000,
    "one-byte chunks with long extensions": CHUNKED + (b"1;" + b"a" * 999 + b"\r\n \r\n") * 99,
    "trailer that is none": CHUNKED + b"0\r\nGET / HTTP/1.1\r\n\r\n",
    "endless trailer": CHUNKED + b"0\r\na:" + b"a" * 9000,
    "endless trailers": CHUNKED + b"0\r\n" + b"a: b\r\n" * 20_000,
}


@pytest.fixture(scope="module")
def server(serve_for_long):
    """Return one service for the whole battery."""
    return serve_for_long()


def assert_refused(server, sent, expected):
    """Send what is wrong; expect one problem document, its log line, and the end."""
    status, head, body = server.raw(sent)

    document = json.loads(body)
    assert (status, document["status"]) == (expected, expected)
    assert "content-type: application/problem+json" in head
    assert "connection: close" in head
    assert f"x-request-id: {document['request_id']}" in head
    wait_for(
        lambda: (
            [
                line["status"]
                for line in server.log()
                if line.get("request_id") == document["request_id"]
            ]
            == [expected]
        ),
        "one log line",
    )
    return document["detail"]


@pytest.mark.parametrize("sent", HEADS.values(), ids=HEADS)
def test_malformed_head_is_400(server, sent):
    assert_refused(server, sent, 400)


@pytest.mark.parametrize("sent", BODIES.values(), ids=BODIES)
def test_malformed_chunks_are_400(server, sent):
    assert_refused(server, sent, 400)


@pytest.mark.parametrize("sent", [*HEADS.values(), *BODIES.values()], ids=[*HEADS, *BODIES])
def test_same_malformed_request_byte_by_byte_is_refused_too(server, sent):
    """However it is cut into packets, a request is understood in one way."""
    with server.connect() as connection:
        for start in range(0, min(len(sent), 400)):
            connection.send(sent[start : start + 1])
        connection.sendall(sent[400:])
        received = receive_all(connection)

    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"\r\nX-Request-ID: ") == 1


@pytest.mark.parametrize(
    "coding", [b"zstd", b"chunked;q=1", b"xchunked", b"br, chunked", *UNICODE_SPACE]
)
def test_unknown_transfer_coding_is_501(server, coding):
    sent = POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n"

    assert "chunked" in assert_refused(server, sent, 501)


@pytest.mark.parametrize("value", [b"100-continues", b"200-ok", b""])
def test_unknown_expectation_is_417(server, value):
    sent = POST + b"Content-Length: 2\r\nExpect: " + value + b"\r\n\r\n{}"

    assert_refused(server, sent, 417)


@pytest.mark.parametrize("end", [b" HTTP/1.1\r\nHost: x\r\n\r\n", b""], ids=["complete", "endless"])
def test_long_request_line_is_414(server, end):
    assert_refused(server, b"GET /" + b"a" * 4100 + end, 414)


@pytest.mark.parametrize(
    "fields",
    [
        b"X-Long: " + b"a" * 8200 + b"\r\n",
        b"".join(b"X-%d: a\r\n" % n for n in range(101)),
        b"".join(b"X-%d: %b\r\n" % (n, b"a" * 8000) for n in range(5)),
    ],
    ids=["one long field", "101 fields", "40 kB"],
)
@pytest.mark.parametrize("end", [b"\r\n", b""], ids=["complete", "endless"])
def test_large_header_is_431(server, fields, end):
    if not end:  # still coming, and already too much
        fields += b"X-Long: " + b"a" * 40_000

    assert_refused(server, GET + fields + end, 431)


def test_body_longer_than_its_length_does_not_become_a_request(server):
    """One byte too many: the body is cut where it was said to end, and the rest is no request."""
    with server.connect() as connection:
        connection.sendall(POST + b"Content-Length: 1\r\n\r\n{}")
        connection.sendall(GET + b"\r\n")
        first, second = receive_answers(connection, 2)

    assert first[0] == 400
    assert second[0] == 400
    assert second[1]["connection"] == "close"


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 4\r\n\r\n{}",
        CHUNKED + b"4\r\n{}",
        CHUNKED + b"2\r\n{}\r\n0\r\n",
        GET,
    ],
    ids=["length", "chunk", "trailers", "head"],
)
def test_request_cut_short_is_400(server, sent):
    """The client says that it sends nothing more, and still listens."""
    with server.connect() as connection:
        connection.sendall(sent)
        connection.shutdown(1)
        received = receive_all(connection)

    assert received.startswith(b"HTTP/1.1 400 ")
    assert b'"status":400' in received


def test_smuggled_request_is_never_answered(server):
    """What one of two readers takes for a body must not be a request to the other."""
    hidden = GET + b"\r\n"
    both = POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (
        len(hidden) + 5
    )
    chunk_extension = CHUNKED + b"2;\n" + hidden + b"\r\n{}\r\n0\r\n\r\n"
    lenient_coding = POST + b"Transfer-Encoding: chunked\x0b\r\n\r\n0\r\n\r\n"

    for attack in (both, chunk_extension, lenient_coding):
        with server.connect() as connection:
            connection.sendall(attack + hidden)
            received = receive_all(connection)

        assert received.count(b"\r\nX-Request-ID: ") == 1
        assert received.startswith(b"HTTP/1.1 400 ")


def test_worker_survived_the_battery(server):
    """The same process that answered first answers last."""
    booted = [line for line in server.log() if line["message"].startswith("Booting worker")]

    assert server.get("/health").ok
    assert len(booted) == 1
    assert not [line for line in server.log() if line["message"].startswith("failed")]
