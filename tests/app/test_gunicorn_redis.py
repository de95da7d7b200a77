"""Limits over all workers as production runs them: real processes, and a Redis in trouble."""

import contextlib
import signal
import time

import pytest

from tests.app.gunicorn import wait_for
from tests.app.redis_peers import Peer, running_redis, silent, slow
from tests.factories import valid_row

# Far longer than any test: whatever waits for the network fails it.
SILENT_NAME_SERVER = """
exec(open("gunicorn.conf.py").read())
import socket, time
socket.getaddrinfo = lambda *arguments, **options: time.sleep(3600)
"""


def lines_about_redis(server):
    """Return what the workers have logged of Redis."""
    return [line["message"] for line in server.log() if line["message"].startswith("Redis")]


def statuses(server, number):
    """Return the answers to requests that come over connections of their own."""
    return [server.post("/predict", valid_row()).status_code for _ in range(number)]


def test_workers_share_a_limit_through_a_slow_redis_and_go_on_without_one(serve, tmp_path):
    path = tmp_path / "redis"
    with running_redis(path), contextlib.closing(Peer(slow(path, 0.02))) as peer:
        server = serve(
            WEB_CONCURRENCY="2",
            FRAUDSCORE_RATE_LIMIT="200/hour",
            FRAUDSCORE_REDIS_URL=f"redis://{peer.address}/0",
        )
        wait_for(lambda: peer.accepted >= 2, "both workers have connected")
        answers = statuses(server, 150)
        assert set(answers) == {200}
        wait_for(lambda: statuses(server, 10) == [429] * 10, "every worker knows of the others")

        peer.behave = silent
        peer.drop_connections()
        wait_for(lambda: len(lines_about_redis(server)) == 2, "each worker has logged the failure")
        assert lines_about_redis(server)[0].startswith("Redis fails")
        assert set(statuses(server, 10)) == {429}  # what is used up stays so
        assert server.get("/health").status_code == 200

        peer.behave = slow(path, 0)
        peer.drop_connections()
        wait_for(lambda: len(lines_about_redis(server)) == 4, "each worker has logged the return")

    told = sorted(lines_about_redis(server))
    assert [line.partition(" (")[0] for line in told[2:]] == ["Redis fails"] * 2
    assert told[:2] == ["Redis answers again: rate limits are counted over all workers"] * 2


@pytest.mark.parametrize("kind", ["loop", "gthread"])
def test_name_server_that_is_silent_holds_no_request_and_no_worker_that_stops(
    serve, tmp_path, kind
):
    configuration = tmp_path / "silent.conf.py"
    configuration.write_text(SILENT_NAME_SERVER)
    server = serve(
        "-c",
        str(configuration),
        FRAUDSCORE_WORKER=kind,
        FRAUDSCORE_RATE_LIMIT="50/hour",
        FRAUDSCORE_REDIS_URL="redis://redis.example/0",
    )

    assert statuses(server, 50) == [200] * 50
    assert statuses(server, 1) == [429]
    wait_for(lambda: lines_about_redis(server), "the failure is logged")
    server.popen.send_signal(signal.SIGTERM)
    began = time.monotonic()
    code, lines, errors = server.end()

    assert code == 0
    assert time.monotonic() - began < 20  # below the grace after which Gunicorn ends it by force
    assert errors == []
    assert sum("Redis fails (no answer within 2 s)" in line for line in lines) == 1
