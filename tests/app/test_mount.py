"""Below a mount path everything works as at the root, and nothing is found elsewhere."""

import contextlib
import json
import re
import shlex
from html import unescape

import pytest
import requests

from app import create_app
from app.setting_types import mount_path
from tests.app.gunicorn import DEADLINE_S, Process
from tests.factories import valid_row

PROXY = "10.1.2.3"


@pytest.fixture(params=[True, False], ids=["lane", "Flask"])
def client_of(request, model_dir):
    """Return a function that gives a client of a service with some settings."""

    def build(**settings):
        return create_app({"MODEL_DIR": model_dir, "LANE": request.param, **settings}).test_client()

    return build


@pytest.fixture(scope="module", params=["loop", "gthread"])
def worker(request):
    """Return the name of a worker."""
    return request.param


@pytest.fixture(scope="module")
def mounted(worker, serve_for_long):
    """Return a service below /fraud."""
    return serve_for_long(
        FRAUDSCORE_WORKER=worker, SCRIPT_NAME="/fraud", health_path="/fraud/health"
    )


@pytest.fixture(scope="module")
def forwarded(worker, serve_for_long):
    """Return a service that believes a proxy on this machine."""
    return serve_for_long(FRAUDSCORE_WORKER=worker, FRAUDSCORE_TRUSTED_PROXIES="127.0.0.1")


def test_workers_serve_below_the_mount_path_and_nowhere_else(mounted):
    below = [mounted.post(f"/fraud{path}", valid_row()) for path in ("/predict", "/anomaly")]
    beside = [mounted.post(path, valid_row()) for path in ("/predict", "/fraudulent/predict", "/")]

    assert [answer.status_code for answer in below] == [200, 200]
    for answer in [*beside, mounted.get("/health"), mounted.get("/fraud/nothing")]:
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
    routes = [line["route"] for line in mounted.log() if line.get("status") == 200]
    assert {"/predict", "/anomaly", "/health"} == set(routes)


def test_workers_tell_addresses_below_the_mount_path(mounted):
    page = unescape(mounted.get("/fraud/docs").text)

    assert mounted.get("/fraud/openapi.json").json()["servers"] == [{"url": "/fraud"}]
    assert "URL=http://localhost:8000/fraud\n" in page
    assert 'href="openapi.json"' in page  # relative to /fraud/docs


def test_workers_know_no_mount_path_from_a_header_named_as_in_wsgi(forwarded):
    for headers in ({"SCRIPT_NAME": "/fraud"}, {"Script-Name": "/fraud"}, {"PATH_INFO": "/model"}):
        answer = requests.get(f"{forwarded.url}/openapi.json", headers=headers, timeout=DEADLINE_S)

        assert answer.json()["servers"] == [{"url": "/"}]


@pytest.mark.parametrize("path", ["/openapi.json", "/fraud/openapi.json"])
def test_workers_believe_a_trusted_proxy(forwarded, path):
    answer = forwarded.get(path, X_Forwarded_Prefix="/fraud")

    assert answer.json()["servers"] == [{"url": "/fraud"}]
    assert forwarded.get("/openapi.json").json()["servers"] == [{"url": "/"}]


def test_workers_believe_nobody_else(mounted):
    for prefix in ("/fraud", "/other", "?"):
        answer = mounted.get("/fraud/openapi.json", X_Forwarded_Prefix=prefix)

        assert answer.json()["servers"] == [{"url": "/fraud"}]
        assert mounted.get("/model", X_Forwarded_Prefix=prefix).status_code == 404


def test_commands_of_the_page_reach_the_service(mounted):
    blocks = re.findall(r"<code>(.*?)</code>", mounted.get("/fraud/docs").text, re.DOTALL)
    first, *_ = (unescape(block) for block in blocks if "curl" in block)
    assignment, _, _, address, *_, body = shlex.split(first)
    base = assignment.removeprefix("URL=").replace("http://localhost:8000", mounted.url)
    url = address.replace("$URL", base)

    assert requests.post(url, json=json.loads(body), timeout=DEADLINE_S).status_code == 200


@pytest.mark.parametrize(("name", "status"), [("SCRIPT_NAME", 1), ("FRAUDSCORE_MOUNT_PATH", 4)])
def test_start_below_what_is_no_path_ends_in_one_line(model_dir, name, status):
    with contextlib.closing(Process(model_dir, **{name: "fraud"})) as process:
        code, _, errors = process.end()

    assert code == status  # 1: before Gunicorn has begun
    assert errors == [f"fraudscore cannot start: {name} must be a path such as /fraud, not 'fraud'"]


def test_setting_is_what_every_path_begins_with(client_of):
    client = client_of(MOUNT_PATH="/a/fraud/")

    assert client.post("/a/fraud/predict", json=valid_row()).status_code == 200
    assert client.get("/a/fraud/docs").status_code == 200
    for path in ("/predict", "/a/predict", "/a/fraud//predict", "//a/fraud/predict", "/a/fraudx"):
        assert client.open(path, method="POST", json=valid_row()).status_code == 404
        assert client.get(path).get_json()["status"] == 404


def test_proxy_counts_instead_of_the_setting_whether_it_removed_the_prefix_or_not(client_of):
    client = client_of(MOUNT_PATH="/fraud", TRUSTED_PROXIES="10.0.0.0/8")
    from_proxy = {
        "headers": {"X-Forwarded-Prefix": "/shop"},
        "environ_base": {"REMOTE_ADDR": PROXY},
    }

    for path in ("/openapi.json", "/shop/openapi.json"):
        assert client.get(path, **from_proxy).get_json()["servers"] == [{"url": "/shop"}]
    assert client.post("/predict", json=valid_row(), **from_proxy).status_code == 200
    assert client.get("/fraud/model", **from_proxy).status_code == 404
    assert client.get("/fraud/openapi.json").get_json()["servers"] == [{"url": "/fraud"}]


@pytest.mark.parametrize(
    ("header", "told"),
    [("/fraud/", "/fraud"), ("/", "/"), ("", "/"), ("/invented, /fraud", "/fraud")],
)
def test_prefix_is_what_the_nearest_proxy_wrote(client_of, header, told):
    client = client_of(TRUSTED_PROXIES=PROXY)

    answer = client.get(
        "/openapi.json",
        headers={"X-Forwarded-Prefix": header},
        environ_base={"REMOTE_ADDR": PROXY},
    )

    assert answer.get_json()["servers"] == [{"url": told}]


@pytest.mark.parametrize("header", ["fraud", '/"><script>', "//host", "/a/../b", "/" + "x" * 300])
def test_prefix_of_a_proxy_that_is_no_path_is_refused(client_of, header):
    client = client_of(TRUSTED_PROXIES=PROXY)

    answer = client.post(
        "/predict",
        json=valid_row(),
        headers={"X-Forwarded-Prefix": header},
        environ_base={"REMOTE_ADDR": PROXY},
    )

    assert answer.status_code == 400
    assert answer.get_json()["detail"] == "X-Forwarded-Prefix must be a path such as /fraud."


def test_document_of_one_prefix_is_not_given_to_another(client_of):
    client = client_of(TRUSTED_PROXIES=PROXY)

    def servers_below(prefix):
        answer = client.get(
            "/openapi.json",
            headers={"X-Forwarded-Prefix": prefix},
            environ_base={"REMOTE_ADDR": PROXY},
        )
        return answer.get_json()["servers"][0]["url"]

    assert [servers_below(prefix) for prefix in ("/a", "/b", "/a")] == ["/a", "/b", "/a"]


def test_paths_outside_count_against_the_limit(client_of):
    client = client_of(MOUNT_PATH="/fraud", RATE_LIMIT="2/hour")

    assert [client.get("/elsewhere").status_code for _ in range(3)] == [404, 404, 429]


def test_server_that_has_split_the_path_itself_is_followed(client_of):
    answer = client_of().get("/openapi.json", base_url="http://localhost/fraud")

    assert answer.get_json()["servers"] == [{"url": "/fraud"}]


@pytest.mark.parametrize(
    "text", ["fraud", "/a//b", "/../x", "/a/.", "/a b", "/%61", "/" + 300 * "x"]
)
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ValueError, match="must be a path such as /fraud"):
        mount_path(text)


def test_path_is_read_without_the_slash_at_its_end():
    assert [mount_path(text) for text in ("", "/", "/a/", "/a/b", "/~x/.y")] == [
        "",
        "",
        "/a",
        "/a/b",
        "/~x/.y",
    ]
