"""Who is asking, behind proxies of every kind: the client's own address, never one it invented."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import create_app
from app.access.forwarded import PREFIX, Forwarding, read_address, site_of
from app.config import Settings

CLIENT = "198.51.100.7"
PROXY = "10.0.0.1"


def forwarding(trusted="10.0.0.0/8"):
    """Return what believes these proxies."""
    return Forwarding(Settings.load({}, {"TRUSTED_PROXIES": trusted}).trusted_proxies)


def environ_of(peer=PROXY, trusted="10.0.0.0/8", **headers):
    """Return what the application sees of a request with these headers."""
    environ = {"REMOTE_ADDR": peer, "REMOTE_PORT": "5", "wsgi.url_scheme": "http"}
    environ |= {f"HTTP_{name}": value for name, value in headers.items() if value is not None}
    forwarding(trusted).apply(environ)
    return environ


def client_of(**request):
    """Return whom a request comes from."""
    return environ_of(**request)["REMOTE_ADDR"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:201", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:4711", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]:_port", "2001:db8::1"),
        ("2001:db8:1:2:3:4:5:6:4711", "2001:db8:1:2:3:4:5:6"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("[fe80::1%eth0]:80", "fe80::1"),
        ("192.0.2.1:", None),
        ("192.0.2.1:471100", None),
        ("192.0.2.1:4711:4711", None),
        ("192.0.2.1 ", None),
        ("192.0.2.1\xa0", None),
        ("192.0.2.1\n", None),
        ("192.0.2.256", None),
        ("192.0.2.01", None),
        ("192.0.2", None),
        ("3221225985", None),
        ("١٩٢.0.2.1", None),
        ("192.0.2.1:٤", None),
        ("[192.0.2.1", None),
        ("192.0.2.1]", None),
        ("[2001:db8::1]4711", None),
        ("2001:db8::1::", None),
        ("fe80::1%", None),
        ("fe80::1%a b", None),
        ("unknown", None),
        ("_hidden", None),
        ("unix:", None),
        ("localhost", None),
        ("", None),
    ],
)
def test_address_is_read_in_every_form_that_servers_write(text, address):
    found = read_address(text)

    assert (found and str(found)) == address


@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_address_is_read_with_and_without_a_port(address, port):
    mapped = getattr(address, "ipv4_mapped", None)
    bracketed = f"[{address}]" if address.version == 6 else str(address)

    for text in (str(address), bracketed, f"{bracketed}:{port}", address.exploded + f":{port}"):
        assert read_address(text) == (mapped or address)


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_requests_are_counted_by_ipv4_address_or_ipv6_network(address, site):
    assert site_of(address) == site


@pytest.mark.parametrize(
    ("trusted", "peer", "header", "client"),
    [
        ("", "192.0.2.1", None, "192.0.2.1"),
        ("", "192.0.2.1", CLIENT, "192.0.2.1"),
        ("10.0.0.0/8", "192.0.2.1", CLIENT, "192.0.2.1"),
        ("10.0.0.0/8", PROXY, None, PROXY),
        ("10.0.0.0/8", PROXY, CLIENT, CLIENT),
        ("10.0.0.0/8", PROXY, f"1.1.1.1, {CLIENT}", CLIENT),
        ("10.0.0.0/8", PROXY, f"1.1.1.1,{CLIENT}\t, 10.2.3.4", CLIENT),
        ("10.0.0.0/8", PROXY, "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("10.0.0.0/8", PROXY, f"{CLIENT}, nonsense", PROXY),
        ("10.0.0.0/8", PROXY, f"{CLIENT}, nonsense, 10.2.3.4", "10.2.3.4"),
        ("10.0.0.0/8", PROXY, f"{CLIENT},", PROXY),
        ("10.0.0.0/8", PROXY, f"{CLIENT}, , 10.2.3.4", "10.2.3.4"),
        ("10.0.0.0/8", PROXY, f",{CLIENT}", CLIENT),
        ("10.0.0.0/8", PROXY, f"{CLIENT}\xa0", PROXY),
        ("10.0.0.0/8", PROXY, "unknown", PROXY),
        ("10.0.0.0/8", PROXY, "", PROXY),
        ("10.0.0.0/8", "::ffff:10.0.0.1", f"{CLIENT}:4711", CLIENT),
        ("::ffff:10.0.0.0/104", PROXY, CLIENT, CLIENT),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1", f"::ffff:{CLIENT}", CLIENT),
        ("2001:db8::1, 10.0.0.1", "2001:db8::1", f"[2001:db8::7]:1, {PROXY}:80", "2001:db8::7"),
        ("fe80::/64", "fe80::1%eth0", CLIENT, CLIENT),
        ("10.0.0.0/8", "", CLIENT, CLIENT),  # a local socket
        ("", "", CLIENT, ""),
        ("10.0.0.0/8", PROXY, ", ".join([CLIENT, *[PROXY] * 40]), PROXY),
        # Envoy appends without a blank, IPv6 without brackets, and a port only if it is told to.
        ("10.0.0.0/8", PROXY, f"1.1.1.1,{CLIENT}", CLIENT),
        ("10.0.0.0/8", "::ffff:10.0.0.1", f"{CLIENT},10.2.3.4", CLIENT),
        ("10.0.0.0/8", PROXY, "1.1.1.1,2001:db8::7", "2001:db8::7"),
        ("10.0.0.0/8", PROXY, f"1.1.1.1,::ffff:{CLIENT}", CLIENT),
        ("10.0.0.0/8", PROXY, f"{CLIENT}:4711,10.2.3.4:80", CLIENT),
        ("2001:db8::/32", "2001:db8::1", f"{CLIENT},2001:db8::2", CLIENT),
    ],
)
def test_client_is_the_rightmost_address_that_no_proxy_of_ours_has(trusted, peer, header, client):
    assert client_of(trusted=trusted, peer=peer, X_FORWARDED_FOR=header) == client


@pytest.mark.parametrize(
    ("header", "client", "scheme"),
    [
        (f"for={CLIENT}", CLIENT, "http"),
        (f"For={CLIENT};Proto=HTTPS", CLIENT, "https"),
        (f"for={CLIENT}; proto=https; by=203.0.113.43", CLIENT, "https"),
        (f'host="a, b";for="{CLIENT}:80"', CLIENT, "http"),
        (f"for={CLIENT}:80", CLIENT, "http"),
        ('for="[2001:db8::1]:4711";proto=https, for=10.1.1.1;proto=http', "2001:db8::1", "https"),
        (f"for=192.0.2.1, for={CLIENT};proto=https", CLIENT, "https"),
        (f'for="\\{CLIENT}"', CLIENT, "http"),
        (f"for=_hidden, for={CLIENT}", CLIENT, "http"),
        (f",for={CLIENT};", CLIENT, "http"),
        (f"for={CLIENT},", PROXY, "http"),
        (f"for={CLIENT}, for=_hidden", PROXY, "http"),
        (f"for={CLIENT}, for=unknown, for=10.2.3.4", "10.2.3.4", "http"),
        (f"for={CLIENT}, by=10.2.3.4", PROXY, "http"),
        (f"for=192.0.2.1;for={CLIENT}", PROXY, "http"),
        (f"for={CLIENT};proto=gopher", CLIENT, "http"),
        (f"for =192.0.2.1, for={CLIENT}", PROXY, "http"),
        (f'for="192.0.2.1, for={CLIENT}', PROXY, "http"),
        (f'for=192.0.2.1;x=", for="{CLIENT}"', PROXY, "http"),
        (f"for={CLIENT}\xa0", PROXY, "http"),
        (f"\x85for={CLIENT}", PROXY, "http"),
        (CLIENT, PROXY, "http"),
        ("for=", PROXY, "http"),
        (f"x={'a' * 1100}, for={CLIENT}", PROXY, "http"),
        (" ", PROXY, "http"),
    ],
)
def test_forwarded_is_read_as_rfc_7239_has_it(header, client, scheme):
    environ = environ_of(FORWARDED=header)

    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == (client, scheme)


@pytest.mark.parametrize(
    ("hops", "forwarded", "client"),
    [
        (CLIENT, f"for={CLIENT}", CLIENT),
        (f"1.1.1.1, {CLIENT}:80", f'for=2.2.2.2, for="{CLIENT}"', CLIENT),
        (f"{CLIENT}, 10.2.3.4", f"for={CLIENT}, for=10.2.3.4", CLIENT),
        (CLIENT, "for=192.0.2.1", PROXY),  # the client's invention, or that of nobody at all
        ("192.0.2.1", f"for={CLIENT}", PROXY),
        (CLIENT, 'for="', PROXY),
        (CLIENT, "for=unknown", PROXY),
        (f"{CLIENT}, 10.2.3.4", "for=192.0.2.1, for=10.2.3.4", "10.2.3.4"),
        (f"{CLIENT}, 10.2.3.4", "for=10.2.3.4", "10.2.3.4"),
        (CLIENT, "", CLIENT),
        ("", f"for={CLIENT}", CLIENT),
    ],
)
def test_two_headers_are_believed_as_far_as_they_agree(hops, forwarded, client):
    assert client_of(X_FORWARDED_FOR=hops, FORWARDED=forwarded) == client


LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"))
PIECES = st.lists(
    st.sampled_from(['"', "\\", ",", ";", "=", "for", "for=9.9.9.9", '"9.9.9.9"', " ", "9.9.9.9"])
).map("".join)


@given(LATIN | PIECES, st.sampled_from([f"for={CLIENT}", f'for="{CLIENT}:80";by="x, y"']))
def test_nothing_that_a_client_writes_before_it_makes_it_somebody_else(invented, written):
    """The proxy appends to what it was sent: the client counts as itself, or as the proxy."""
    assert client_of(X_FORWARDED_FOR=f"{invented}, {CLIENT}") == CLIENT
    assert client_of(FORWARDED=f"{invented}, {written}") in {CLIENT, PROXY}


@given(LATIN | PIECES, st.booleans())
def test_nothing_that_a_client_writes_into_the_other_header_does(invented, writes_forwarded):
    headers = {"X_FORWARDED_FOR": CLIENT, "FORWARDED": invented}
    if writes_forwarded:
        headers = {"X_FORWARDED_FOR": invented, "FORWARDED": f"for={CLIENT}"}

    assert client_of(**headers) in {CLIENT, PROXY}


@given(st.text(), st.text(), st.text())
def test_no_header_makes_finding_the_client_fail(peer, hops, forwarded):
    trusted = "0.0.0.0/0,::/0"

    assert isinstance(
        client_of(trusted=trusted, peer=peer, X_FORWARDED_FOR=hops, FORWARDED=forwarded), str
    )


@pytest.mark.parametrize(
    ("header", "scheme"),
    [("https", "https"), ("HTTPS", "https"), ("http, https", "https"), ("https,http", "http")],
)
def test_scheme_is_what_the_nearest_proxy_wrote(header, scheme):
    assert environ_of(X_FORWARDED_PROTO=header)["wsgi.url_scheme"] == scheme
    assert environ_of(peer=CLIENT, X_FORWARDED_PROTO=header)["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize("header", ["gopher", "https\xa0", ""])
def test_scheme_that_is_none_or_contradicted_is_that_of_the_connection(header):
    environ = environ_of(X_FORWARDED_PROTO=header, FORWARDED=f"for={CLIENT}")
    contradicted = environ_of(X_FORWARDED_PROTO="https", FORWARDED=f"for={CLIENT};proto=http")

    assert environ["wsgi.url_scheme"] == contradicted["wsgi.url_scheme"] == "http"


def test_claims_of_others_are_gone():
    claims = {"X_FORWARDED_FOR": "1.1.1.1", "FORWARDED": "for=1.1.1.1", "X_FORWARDED_PREFIX": "/a"}

    environ = environ_of(peer=CLIENT, **claims, X_FORWARDED_PROTO="https")

    assert environ == {"REMOTE_ADDR": CLIENT, "REMOTE_PORT": "5", "wsgi.url_scheme": "http"}


def test_claims_of_a_proxy_are_read_once():
    environ = environ_of(X_FORWARDED_FOR=CLIENT, X_FORWARDED_PREFIX="/b, /a")

    assert environ == {"REMOTE_ADDR": CLIENT, "wsgi.url_scheme": "http", PREFIX: "/a"}


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"X_FORWARDED_FOR": "unix:"}, "sent X-Forwarded-For without an address"),
        ({"FORWARDED": "for=unknown"}, "sent Forwarded without an address"),
        ({"X_FORWARDED_FOR": CLIENT, "FORWARDED": "for=1.1.1.1"}, "name different clients"),
    ],
)
def test_proxy_that_is_not_understood_is_told_once(caplog, headers, reason):
    believing = forwarding()
    for _ in range(3):
        environ = {"REMOTE_ADDR": PROXY}
        believing.apply(environ | {f"HTTP_{name}": value for name, value in headers.items()})

    ((level, message),) = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert level == logging.WARNING
    assert reason in message
    assert "1.1.1.1" not in message
    assert "198.51" not in message


@pytest.mark.parametrize(
    ("peer", "form"),
    [
        ("::ffff:10.0.0.1", "192.0.2.{}"),
        (PROXY, "192.0.2.{}:4711"),
        (PROXY, "::ffff:192.0.2.{}"),
        (PROXY, "[2001:db8:0:{}::1]:4711"),
        (PROXY, "2001:db8:0:{}:1:2:3:4"),
    ],
)
def test_clients_behind_a_proxy_have_a_limit_each(model_dir, peer, form):
    app = create_app(
        {"MODEL_DIR": model_dir, "RATE_LIMIT": "1/day", "TRUSTED_PROXIES": "10.0.0.0/8"}
    )
    client = app.test_client()

    def status(number):
        headers = {"X-Forwarded-For": form.format(number)}
        return client.get("/model", headers=headers, environ_base={"REMOTE_ADDR": peer}).status_code

    assert [status(number) for number in range(30)] == [200] * 30
    assert [status(number) for number in range(30)] == [429] * 30


def test_addresses_of_one_ipv6_network_share_a_limit(model_dir):
    client = create_app({"MODEL_DIR": model_dir, "RATE_LIMIT": "2/day"}).test_client()
    addresses = ["2001:db8::1", "2001:db8::2%eth0", "2001:db8:0:0:ffff::3", "2001:db8:0:1::1"]

    statuses = [
        client.get("/model", environ_base={"REMOTE_ADDR": address}).status_code
        for address in addresses
    ]

    assert statuses == [200, 200, 429, 200]
