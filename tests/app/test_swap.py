"""Model changes in a running service: real Gunicorn processes, real files, real signals."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import requests

from tests.app import champions
from tests.app.champions import copied, point_to
from tests.app.gunicorn import DEADLINE_S, wait_for
from tests.factories import save_tiny, valid_row
from tests.precision import as_rounded

OFTEN = {"FRAUDSCORE_MODEL_POLL_SECONDS": "0.05"}
NEVER = {"FRAUDSCORE_MODEL_POLL_SECONDS": "3600"}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return three small models that score differently."""
    directory = tmp_path_factory.mktemp("trained") / "tiny"
    return [save_tiny(directory, seed=seed) for seed in range(3)]


@pytest.fixture
def artifacts(trained, tmp_path):
    """Return them in a folder of their own, the first being the champion."""
    found = [copied(artifact, tmp_path) for artifact in trained]
    point_to(found[0])
    return found


def begin(serve, artifacts, **environ):
    """Start two workers on the artifacts."""
    return serve(directory=artifacts[0].path.parent, WEB_CONCURRENCY="2", **environ)


def served_by_all(server, key, value):
    """Return whether twenty new connections, so both workers, report a fact on /health."""
    found = [server.get("/health").json() for _ in range(20)]
    return all(each.get(key, each["model"].get(key)) == value for each in found)


def replace_workers(server):
    """Kill all workers and wait for their successors."""
    killed = set(server.workers())
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(set(server.workers()) - killed) == 2, "two new workers")
    return wait_for(lambda: server.get("/health"), "an answer").json()


def logged(server, message):
    """Return the log lines with a message, so far."""
    return [line for line in server.log() if line["message"] == message]


def test_swaps_under_load_lose_no_request_and_mix_no_versions(serve, artifacts):
    server = begin(serve, artifacts, **OFTEN)
    rows = [valid_row(V1=V1) for V1 in (-1.0, 0.5, 2.0)]
    expected = {}
    for artifact in artifacts:
        spec = artifact.scorer.spec
        scores = artifact.scorer.score(spec.matrix_from_rows(rows))
        expected[artifact.version] = scores.probability.tolist()
    done = Event()

    def send_until_done():
        seen = []
        with requests.Session() as session:
            while not done.is_set():
                answer = session.post(server.url + "/predict", json=rows, timeout=DEADLINE_S)
                assert answer.status_code == 200
                document = answer.json()
                found = [each["probability"] for each in document["predictions"]]
                assert found == as_rounded(expected[document["model"]["version"]])
                seen.append(document["model"]["version"])
        return seen

    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(send_until_done) for _ in range(4)]
        try:
            for turn in range(1, 7):
                artifact = artifacts[turn % 3]
                point_to(artifact, previous=artifacts[(turn - 1) % 3].version)
                wait_for(lambda n=turn: len(logged(server, "champion swapped")) == 2 * n, "a swap")
                assert served_by_all(server, "version", artifact.version)
        finally:
            done.set()

    answers = [version for sender in senders for version in sender.result()]
    assert set(answers) == set(expected)


def test_bad_model_is_refused_by_every_worker_until_a_good_one_comes(serve, artifacts):
    server = begin(serve, artifacts, **OFTEN)
    champions.truncated(artifacts[1])
    point_to(artifacts[1])

    wait_for(lambda: served_by_all(server, "status", "degraded"), "both workers degraded")
    answer = server.post("/predict", valid_row())
    wait_for(lambda: len(logged(server, "champion refused")) == 2, "one line of each worker")
    point_to(artifacts[2])
    wait_for(lambda: served_by_all(server, "version", artifacts[2].version), "the good one")

    assert answer.status_code == 200
    assert answer.json()["model"]["version"] == artifacts[0].version
    assert served_by_all(server, "status", "ok")
    assert len(logged(server, "champion refused")) == 2


def test_worker_begins_with_the_champion_of_today_not_with_that_of_the_master(serve, artifacts):
    server = begin(serve, artifacts, **NEVER)
    point_to(artifacts[1])
    point_to(artifacts[2])

    health = replace_workers(server)

    assert health["status"] == "ok"
    assert served_by_all(server, "version", artifacts[2].version)


def test_worker_begins_with_the_champion_before_a_bad_one(serve, artifacts):
    server = begin(serve, artifacts, **NEVER)
    point_to(artifacts[2], previous=artifacts[1].version)
    champions.flipped_byte(artifacts[2])

    health = replace_workers(server)

    assert health["status"] == "degraded"
    assert health["refused_version"] == artifacts[2].version
    assert health["model"]["version"] == artifacts[1].version
    assert server.post("/predict", valid_row()).status_code == 200


def test_worker_begins_with_what_the_master_verified_where_all_files_are_bad(serve, artifacts):
    server = begin(serve, artifacts, **NEVER)
    point_to(artifacts[2], previous=artifacts[1].version)
    for artifact in artifacts:
        champions.truncated(artifact)

    health = replace_workers(server)

    assert health["status"] == "degraded"
    assert health["model"]["version"] == artifacts[0].version
    assert server.post("/predict", valid_row()).status_code == 200


def reloaded(server):
    """Send HUP and wait until other workers have taken over."""
    before = set(server.workers())
    server.popen.send_signal(signal.SIGHUP)
    wait_for(lambda: len(now := set(server.workers())) == 2 and not now & before, "new workers")


def test_reload_takes_the_new_champion_and_survives_a_bad_one(serve, artifacts):
    server = begin(serve, artifacts, **NEVER)
    point_to(artifacts[1])

    reloaded(server)
    good = server.get("/health").json()
    point_to(artifacts[2], previous=artifacts[1].version)
    champions.missing(artifacts[2])
    reloaded(server)
    bad = server.get("/health").json()

    assert (good["status"], good["model"]["version"]) == ("ok", artifacts[1].version)
    assert (bad["status"], bad["model"]["version"]) == ("degraded", artifacts[1].version)
