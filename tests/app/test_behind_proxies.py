"""Behind nginx and HAProxy, in each of the forms that they send, under both workers."""

from functools import cache

import pytest
import requests

from tests.app import proxies
from tests.app.gunicorn import DEADLINE_S

# Other addresses of this machine than that of the proxies, which come from 127.0.0.1.
IPV4, IPV6 = "127.0.0.2", "::1"
PROXY = "127.0.0.1"

pytestmark = pytest.mark.skipif(not proxies.has_ipv6(), reason="this machine has no ::1")


@pytest.fixture(scope="module")
def serve_with(serve_for_long):
    """Return a function that gives the service with a worker.

    It listens on ::, so that peers come as ::ffff:127.0.0.1, and tells who asked.
    """

    @cache
    def give(worker):
        return serve_for_long(
            "tests.app.echo:application()",
            HOST="::",
            FRAUDSCORE_WORKER=worker,
            FRAUDSCORE_TRUSTED_PROXIES=PROXY,
        )

    return give


@pytest.fixture(scope="module", params=["loop", "gthread"])
def service(request, serve_with):
    """Return the service with each of the workers."""
    return serve_with(request.param)


@pytest.fixture(scope="module", params=["nginx", "haproxy"])
def proxy(request, service, tmp_path_factory):
    """Return a proxy in front of the service."""
    folder = tmp_path_factory.mktemp(request.param)
    with proxies.running(request.param, folder, f"127.0.0.1:{service.port}") as proxy:
        yield proxy


@pytest.fixture(scope="module")
def nginx(service, tmp_path_factory):
    """Return nginx in front of the service."""
    folder = tmp_path_factory.mktemp("nginx")
    with proxies.running("nginx", folder, f"127.0.0.1:{service.port}") as proxy:
        yield proxy


@pytest.mark.parametrize("client", [IPV4, IPV6])
@pytest.mark.parametrize("path", ["/usual", "/port", "/forwarded"])
def test_client_is_found_in_every_form(proxy, path, client):
    environ = proxy.ask(path, client)

    assert environ["REMOTE_ADDR"] == client
    assert "REMOTE_PORT" not in environ
    assert environ["wsgi.url_scheme"] == ("http" if path == "/port" else "https")


def test_what_a_client_invents_is_not_believed(proxy):
    assert proxy.ask("/usual", IPV4, X_Forwarded_For="192.0.2.1")["REMOTE_ADDR"] == IPV4
    assert proxy.ask("/port", IPV4, X_Forwarded_For="192.0.2.1")["REMOTE_ADDR"] == IPV4
    assert proxy.ask("/forwarded", IPV4, Forwarded="for=192.0.2.1")["REMOTE_ADDR"] == IPV4
    # The header that the proxy passes on as it came counts against the other one.
    for path, header in (("/usual", "Forwarded"), ("/forwarded", "X_Forwarded_For")):
        invented = "for=192.0.2.1" if header == "Forwarded" else "192.0.2.1"
        assert proxy.ask(path, IPV4, **{header: invented})["REMOTE_ADDR"] == PROXY


@pytest.mark.parametrize("invented", ["for=192.0.2.1", 'for="', 'for=192.0.2.1;x="', "", "unknown"])
def test_no_beginning_of_a_list_is_believed(nginx, invented):
    found = nginx.ask("/appended", IPV4, Forwarded=invented)["REMOTE_ADDR"]

    assert found == (IPV4 if invented in ("for=192.0.2.1", "") else PROXY)


def test_proxy_that_says_nothing_is_the_client(nginx):
    assert nginx.ask("/silent", IPV4, Forwarded="for=192.0.2.1")["REMOTE_ADDR"] in {
        PROXY,
        f"::ffff:{PROXY}",
    }


def test_prefix_is_believed(nginx):
    environ = nginx.ask("/prefix/x", IPV4)

    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/prefix", "/x")


def test_proxies_behind_each_other_lead_to_the_client(service, tmp_path):
    upstream = f"127.0.0.1:{service.port}"
    with (
        proxies.running("haproxy", tmp_path, upstream) as inner,
        proxies.running("nginx", tmp_path, f"127.0.0.1:{inner.port}/usual") as outer,
    ):
        for client in (IPV4, IPV6):
            assert outer.ask("/usual", client)["REMOTE_ADDR"] == client
            invented = outer.ask("/usual", client, X_Forwarded_For="192.0.2.1, 127.0.0.1")
            assert invented["REMOTE_ADDR"] == client


def test_others_are_not_believed(service):
    """A peer that is no proxy, though it comes from this machine."""
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    url = f"http://[::1]:{service.port}/"

    environ = requests.get(url, headers=headers, timeout=DEADLINE_S).json()

    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == ("::1", "http")
    assert not {name for name in environ if "FORWARDED" in name}
