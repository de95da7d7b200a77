"""White space in a header is a blank or a tab; text in Python strips, counts and matches far more.

What only this service takes for white space would be framed in one way by the proxy in front and in
another one here, which is how requests are smuggled.
"""

import ast
import re
from contextlib import suppress
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from hypothesis import example, given
from hypothesis import strategies as st

import app
from app.access.mount import Mount
from app.intake import check_content
from app.refusal import RefusedError
from app.worker.head import HeadReader
from tests.app.test_forwarded import environ_of

BYTES = [bytes([code]) for code in range(256)]
# Those that str.strip, \s, \d or str.isdigit know, or that line readers stop at.
SUSPECT = [
    b"\t",
    b" ",
    b"\x0b",
    b"\x0c",
    b"\x1c",
    b"\x1f",
    b"\x85",
    b"\xa0",
    b"\xb2",
    b"\xb5",
    b"\0",
]
VALUES = {
    b"Transfer-Encoding": [b"chunked", b"CHUNKED", b"gzip", b"identity", b"chunked, chunked", b""],
    b"Content-Length": [b"5", b"05", b"+5", b"5, 5", b"5_0", b"0x5", b""],
    b"Connection": [b"close", b"Close", b"keep-alive", b"close, x", b"upgrade"],
    b"Host": [b"x", b"x:80", b""],
    b"X-Other": [b"chunked"],
}


@st.composite
def heads(draw):
    """Return the head of a request whose framing fields carry bytes that may not be there."""
    odd = st.lists(st.sampled_from(SUSPECT) | st.sampled_from(BYTES), max_size=2).map(b"".join)
    names = draw(st.lists(st.sampled_from(list(VALUES)), max_size=3))
    fields = [b"Host: x"] if b"Host" not in names else []
    for name in names:
        value = draw(st.sampled_from(VALUES[name]))
        cut = draw(st.integers(0, len(value)))
        value = value[:cut] + draw(odd) + value[cut:]
        fields.append(name + b":" + draw(odd) + value + draw(odd))
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    return b"\r\n".join([b"POST /predict HTTP/" + version, *fields])


def framing_of(head):
    """Return where RFC 9112 has the body end and whether the connection goes on; None: refuse."""
    line, *lines = head.split(b"\r\n")
    is_11 = line.endswith(b"1.1")
    given = {}
    for text in lines:
        match = re.fullmatch(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t -~\x80-\xff]*)", text)
        if match is None:
            return None
        value = re.fullmatch(rb"[ \t]*(.*?)[ \t]*", match[2], re.DOTALL)[1]
        given.setdefault(match[1].lower(), []).append(value)
    options = [
        part.strip(b" \t").lower() for part in b",".join(given.get(b"connection", [])).split(b",")
    ]
    goes_on = b"close" not in options and (is_11 or b"keep-alive" in options)
    lengths = given.get(b"content-length", [])
    if b"transfer-encoding" in given:
        coding = b",".join(given[b"transfer-encoding"]).lower()
        return ("chunked", goes_on) if coding == b"chunked" and not lengths and is_11 else None
    if not lengths:
        return 0, goes_on
    is_number = len(lengths) == 1 and re.fullmatch(rb"[0-9]+", lengths[0])
    return (int(lengths[0]), goes_on) if is_number else None


@given(heads())
@example(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \xa0chunked")
@example(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\x85")
@example(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\xa0")
@example(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \xb2")
def test_every_head_is_framed_as_rfc_9112_has_it_or_refused(head):
    with suppress(RefusedError):
        found = HeadReader(4094, 100, 8190).read(head)

        framing = "chunked" if found.is_chunked else found.length
        assert (framing, found.keep_alive) == framing_of(head)


@given(heads())
@example(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \xa0chunked")
@example(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \xb2")
def test_gunicorn_and_its_threads_do_not_frame_it_in_another_way(head):
    """What both take is the same; whatever else Gunicorn takes, it does not strip more."""
    try:
        request = next(RequestParser(Config(), [head + b"\r\n\r\n"], ("192.0.2.1", 1)))
    except Exception:  # its refusals have no common base
        return
    reader = type(request.body.reader).__name__
    framing = framing_of(head)
    if framing is not None:
        assert reader == {"chunked": "ChunkedReader"}.get(framing[0], reader)
        if reader == "LengthReader":
            assert request.body.reader.length == framing[0]
    else:
        codings = [v.lower() for n, v in request.headers if n == "TRANSFER-ENCODING"]
        assert reader == "ChunkedReader"
        assert all(re.fullmatch(r"[a-z, \t]*", coding) for coding in codings)


@pytest.mark.parametrize("space", [b"", b" ", b"\t", b" \t "])
@pytest.mark.parametrize(
    ("field", "framing"),
    [(b"Transfer-Encoding:%bchunked%b", ("chunked", True)), (b"Content-Length:%b7%b", (7, True))],
)
def test_blanks_and_tabs_are_white_space(space, field, framing):
    head = b"POST / HTTP/1.1\r\nHost: x\r\n" + field % (space, space)

    found = HeadReader(4094, 100, 8190).read(head)

    assert (found.length or "chunked", found.keep_alive) == framing_of(head) == framing


@pytest.mark.parametrize("odd", ["\xa0", "\x85", "\x1c", "\x0b", "\n"])
def test_nothing_else_is_white_space_in_what_identifies_a_request(odd):
    environ = {"CONTENT_TYPE": "application/json", "HTTP_CONTENT_ENCODING": "identity"}

    check_content(environ)
    for name, value in environ.items():
        for changed in (f"{odd}{value}", f"{value}{odd}", f"{value};{odd}"):
            with pytest.raises(Exception, match="must"):
                check_content(environ | {name: changed})
    assert environ_of(X_FORWARDED_PROTO=f"https{odd}")["wsgi.url_scheme"] == "http"
    with pytest.raises(RefusedError):
        Mount("").apply(environ_of(X_FORWARDED_PREFIX=f"/a{odd}") | {"PATH_INFO": "/a/b"})


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        'application/json ;\tcharset="UTF-8" ; ',
        "application/json; charset=utf8",
    ],
)
def test_type_of_json_may_be_written_in_several_ways(content_type):
    check_content({"CONTENT_TYPE": content_type})


# Where the text of clients is read, and that of servers by our own client.
READERS = [
    "worker/*.py",
    "access/forwarded.py",
    "access/gate.py",
    "access/keys.py",
    "access/mount.py",
    "client.py",
    "intake.py",
    "layer.py",
    "record.py",
    "schemas.py",
    "scoring.py",
]
WIDE_METHODS = {"strip", "lstrip", "rstrip", "split", "rsplit", "splitlines"}
WIDE_QUESTIONS = {"isdigit", "isdecimal", "isnumeric", "isalpha", "isalnum", "isspace"}


def test_no_code_that_reads_requests_asks_python_what_white_space_or_a_digit_is():
    root = Path(app.__file__).parent
    found = []
    paths = [path for reader in READERS for path in root.glob(reader)]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = node.func.attr
                if name in WIDE_QUESTIONS or (name in WIDE_METHODS and not node.args):
                    found.append(f"{path.name}:{node.lineno} {name}")
            elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
                if re.search(r"\\[dDsSwW]", text):
                    found.append(f"{path.name}:{node.lineno} {text}")

    assert len(paths) > len(READERS)
    assert found == []
