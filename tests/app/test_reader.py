"""Cutting bytes into requests does not depend on how the bytes arrive."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.refusal import RefusedError
from app.worker.head import HeadReader
from app.worker.reader import RequestReader

LIMIT = 1000


def read_all(pieces):
    """Feed pieces to a reader; return the requests that came out, and how it ended."""
    reader = RequestReader(HeadReader(200, 10, 100), LIMIT)
    requests = []
    try:
        for piece in pieces:
            reader.feed(piece)
            while (request := reader.read()) is not None or reader.is_behind:
                if request is not None:
                    head, body = request
                    requests.append((head.environ["PATH_INFO"], body))
                    reader.finish()
    except RefusedError as error:
        return requests, error.status
    return requests, None


def cut(data, places):
    """Return data in pieces."""
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(bounds) if a < b]


def chunked(body, sizes):
    """Return a body in chunks of the sizes given, the rest in one."""
    written = b""
    for size in sizes:
        if body[:size]:
            written += b"%x;a=b\r\n%b\r\n" % (len(body[:size]), body[:size])
        body = body[size:]
    if body:
        written += b"%x\r\n%b\r\n" % (len(body), body)
    return written + b"0\r\nTrailer: x\r\n\r\n"


bodies = st.binary(max_size=60)
requests_written = st.one_of(
    st.just((b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", ("/a", b""))),
    bodies.map(
        lambda body: (
            b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body),
            ("/b", body),
        )
    ),
    st.tuples(bodies, st.lists(st.integers(1, 20), max_size=4)).map(
        lambda drawn: (
            b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(*drawn),
            ("/c", drawn[0]),
        )
    ),
)
places = st.lists(st.integers(0, 2000), max_size=30)


@given(st.lists(requests_written, max_size=5), places)
def test_pipelined_requests_come_out_as_they_went_in(drawn, places):
    data = b"".join(written for written, _ in drawn)

    requests, refused = read_all(cut(data, places))

    assert requests == [expected for _, expected in drawn]
    assert refused is None


@pytest.mark.parametrize("size", [5, 100, 100_000])
def test_chunked_body_is_decoded_a_little_at_a_time(size):
    body = b"x" * 60_000
    reader = RequestReader(HeadReader(200, 10, 100), len(body))
    head = b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader.feed(head + chunked(body, [size] * 10_000) + head)

    decoded = [0]
    while (request := reader.read()) is None:
        assert reader.is_behind
        decoded.append(reader.size)

    assert request[1] == body
    assert max(after - before for before, after in pairwise(decoded)) <= 16 * 1024
    assert reader.unread == head


BROKEN = st.tuples(requests_written, st.integers(0, 200), st.binary(max_size=3)).map(
    lambda drawn: drawn[0][0][: drawn[1]] + drawn[2] + drawn[0][0][drawn[1] + len(drawn[2]) :]
)


@settings(max_examples=300)
@given(st.lists(BROKEN, min_size=1, max_size=3), places)
def test_damaged_requests_are_understood_in_one_way_and_refused_as_4xx(drawn, places):
    """Whole or in pieces: the same requests come out, and the same refusal unless more is awaited.

    A refusal may come earlier in pieces, for what is hopeless is not waited for; never later.
    """
    data = b"".join(drawn)

    whole, refused_whole = read_all([data])
    pieces, refused_pieces = read_all(cut(data, places))

    assert pieces == whole
    assert (refused_pieces is None) == (refused_whole is None)
    assert refused_whole is None or 400 <= refused_whole < 500 or refused_whole == 501
