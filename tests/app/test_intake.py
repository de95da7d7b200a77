"""The outside of a request: host, media type, coding, length."""

import io

import pytest
from werkzeug.exceptions import (
    BadRequest,
    ClientDisconnected,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from app.intake import check_content, check_host, read_body
from app.refusal import RefusedError

LIMIT = 2048


def environ(body=b"{}", *, length=None, chunked=False):
    """Return the part of a WSGI environment that describes a body."""
    found = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    if not chunked:
        found["CONTENT_LENGTH"] = str(len(body) if length is None else length)
    return found


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "Application/JSON",
    ],
)
def test_json_in_utf_8_is_accepted(content_type):
    check_content({"CONTENT_TYPE": content_type})


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/vnd.api+json",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; version=2",
        "application/json, text/plain",
    ],
)
def test_every_other_content_type_is_refused(content_type):
    with pytest.raises(UnsupportedMediaType):
        check_content({"CONTENT_TYPE": content_type})


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "identity, gzip"])
def test_coded_body_is_refused(coding):
    with pytest.raises(UnsupportedMediaType, match="Content-Encoding"):
        check_content({"CONTENT_TYPE": "application/json", "HTTP_CONTENT_ENCODING": coding})


@pytest.mark.parametrize("coding", ["", "identity", "Identity"])
def test_uncoded_body_may_say_so(coding):
    check_content({"CONTENT_TYPE": "application/json", "HTTP_CONTENT_ENCODING": coding})


def test_http_1_1_without_a_host_is_refused():
    with pytest.raises(RefusedError, match="Host"):
        check_host({"SERVER_PROTOCOL": "HTTP/1.1"})


@pytest.mark.parametrize("host", ["a/b", "a@b", "a b", "ä", "a..b", ".a", "a" * 64, "a\n"])
def test_host_that_is_none_is_refused(host):
    with pytest.raises(RefusedError, match="does not name a host"):
        check_host({"SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": host})


@pytest.mark.parametrize("host", ["", "a", "A_b.example.:8000", "[::1]:80", "a" * 63 + ".b"])
def test_host_is_a_name_an_address_or_nothing(host):
    check_host({"SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": host})


def test_http_1_0_needs_no_host():
    check_host({"SERVER_PROTOCOL": "HTTP/1.0"})


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [1, LIMIT - 1, LIMIT])
def test_body_up_to_the_limit_is_read_whole(size, chunked):
    assert read_body(environ(b"x" * size, chunked=chunked), LIMIT) == b"x" * size


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [LIMIT + 1, LIMIT + 2, 10 * LIMIT])
def test_body_beyond_the_limit_is_refused(size, chunked):
    with pytest.raises(RequestEntityTooLarge, match="limit of 2048 bytes"):
        read_body(environ(b"x" * size, chunked=chunked), LIMIT)


def test_body_that_only_claims_to_be_large_is_refused_unread():
    request = environ(b"{}", length=LIMIT + 1)

    with pytest.raises(RequestEntityTooLarge):
        read_body(request, LIMIT)

    assert request["wsgi.input"].tell() == 0


def test_endless_body_is_read_no_further_than_the_limit():
    class Endless(io.RawIOBase):
        given = 0

        def readinto(self, buffer):
            self.given += len(buffer)
            return len(buffer)

    stream = Endless()

    with pytest.raises(RequestEntityTooLarge):
        read_body({"wsgi.input": stream, "wsgi.input_terminated": True}, LIMIT)

    assert stream.given == LIMIT + 1


def test_body_shorter_than_stated_is_refused_even_where_it_is_json():
    with pytest.raises(ClientDisconnected):
        read_body(environ(b"{}", length=10), LIMIT)


@pytest.mark.parametrize("chunked", [False, True])
def test_empty_body_is_refused(chunked):
    with pytest.raises(BadRequest, match="empty"):
        read_body(environ(b"", chunked=chunked), LIMIT)
