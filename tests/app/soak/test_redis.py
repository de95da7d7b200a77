"""A Redis that is slow, dead or cannot be found holds up no score and no answer of /health."""

import signal
import time

import pytest

from benchmarks import slow_redis
from tests.app.ports import free_port
from tests.app.soak.traffic import Footprint, reads_proc

pytestmark = [
    pytest.mark.soak,
    reads_proc,
    pytest.mark.skipif(not slow_redis.is_here(), reason="there is no redis-server here"),
]

LASTING_S = 5
PEACE_S = 2
KEPT_SHARE = 0.8  # of what is scored where limits are counted in the workers


@pytest.fixture
def counting(serve_two):
    """Return a function that starts a service which counts rate limits in a Redis at a port."""

    def begin(port):
        return serve_two(
            FRAUDSCORE_RATE_LIMIT=slow_redis.LIMIT,
            FRAUDSCORE_REDIS_URL=f"redis://127.0.0.1:{port}/0",
        )

    return begin


def per_second(seen):
    """Return the scores a second that ordinary clients got."""
    return seen.statuses[200] / seen.seconds


@pytest.fixture
def usual(serve_two, load):
    """Return how many requests a second are answered where no Redis is asked."""
    server = serve_two(FRAUDSCORE_RATE_LIMIT=slow_redis.LIMIT)
    with load(server.port) as seen:
        time.sleep(PEACE_S)
    return per_second(seen)


def test_slow_redis_holds_nobody_up(counting, load, usual, tmp_path):
    port, slow_port = free_port(), free_port()
    with slow_redis.redis(tmp_path, port), slow_redis.slowed(port, slow_port):
        server = counting(slow_port)
        footprint = Footprint(server)
        with load(server.port) as seen:
            time.sleep(LASTING_S)

    seen.assert_nothing_lost()
    seen.assert_healthy()
    assert per_second(seen) >= KEPT_SHARE * usual
    footprint.assert_not_larger()


def test_redis_that_dies_and_comes_back_holds_nobody_up(counting, load, tmp_path):
    port = free_port()
    server = counting(port)
    footprint = Footprint(server)
    with load(server.port) as seen:
        for _ in range(2):
            with slow_redis.redis(tmp_path, port):
                time.sleep(PEACE_S)
            time.sleep(PEACE_S)

    seen.assert_nothing_lost()
    seen.assert_healthy()
    footprint.assert_not_larger()


def test_redis_that_is_frozen_holds_nobody_up(counting, load, tmp_path):
    port = free_port()
    with slow_redis.redis(tmp_path, port) as redis:
        server = counting(port)
        footprint = Footprint(server)
        with load(server.port) as seen:
            time.sleep(PEACE_S)
            redis.send_signal(signal.SIGSTOP)
            time.sleep(LASTING_S)
            redis.send_signal(signal.SIGCONT)

    seen.assert_nothing_lost()
    seen.assert_healthy()
    footprint.assert_not_larger()
