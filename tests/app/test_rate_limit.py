"""Rate limits: counted in fixed windows, in a worker's memory or in Redis."""

import contextlib
import logging
import shutil
import socket
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.counters import WorkerCounters
from app.access.rate_limit import RateLimited, RateLimits, parse_limits
from model.errors import ConfigurationError
from tests.app.gunicorn import wait_for

REDIS = shutil.which("redis-server")


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """Return a clock."""
    return Clock()


def passes(limits, client="a"):
    """Return whether one more request of a client passes."""
    try:
        limits.count(client)
    except RateLimited:
        return False
    return True


def test_requests_over_the_limit_are_refused_until_the_window_ends(clock):
    limits = RateLimits("3/10 seconds", clock=clock)

    assert [passes(limits) for _ in range(5)] == [True] * 3 + [False] * 2
    clock.now += 9.9
    assert not passes(limits)
    clock.now += 0.2
    assert passes(limits)


def test_clients_are_counted_apart(clock):
    limits = RateLimits("1/minute", clock=clock)

    assert passes(limits, "a")
    assert passes(limits, "b")
    assert not passes(limits, "a")


def test_every_window_holds(clock):
    limits = RateLimits("50/minute;2/second", clock=clock)

    passed = []
    for _ in range(40):
        passed.append(sum(passes(limits) for _ in range(5)))
        clock.now += 1.01

    assert passed == [2] * 25 + [0] * 15


def test_burst_that_is_refused_does_not_use_up_the_longer_window(clock):
    limits = RateLimits("2/second;10/minute", clock=clock)

    for _ in range(50):
        passes(limits)
    clock.now += 1.01

    assert passes(limits)


def test_refusal_says_which_limit_and_when_to_come_back(clock):
    limits = RateLimits("5/minute;1/10 seconds", clock=clock)
    limits.count("a")
    clock.now += 2.5

    with pytest.raises(RateLimited) as caught:
        limits.count("a")

    headers = dict(caught.value.get_headers())
    assert caught.value.code == 429
    assert headers["Retry-After"] == "8"
    assert headers["RateLimit-Policy"] == '"1/10 second";q=1;w=10, "5/minute";q=5;w=60'
    assert headers["RateLimit"] == '"1/10 second";r=0;t=8'


@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**9 - 1),
            st.none() | st.integers(1, 99999),
            st.sampled_from(["second", "minute", "hour", "day"]),
            st.sampled_from(["", "s"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_limits_are_read_as_written(parts):
    text = ";".join(f"{n}/{'' if m is None else f'{m} '}{unit}{s}" for n, m, unit, s in parts)
    seconds = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

    found = [(limit.amount, limit.get_expiry()) for limit in parse_limits(text)]

    expected = [(n, (m or 1) * seconds[unit]) for n, m, unit, _ in parts]
    assert sorted(found) == sorted(expected)
    assert [window for _, window in found] == sorted(window for _, window in expected)


WRONG = ["", " ", "0/second", "10", "10/", "10/0 minute", "10/fortnight", "-1/second", "1.5/second"]


@pytest.mark.parametrize("text", [*WRONG, "10/second:5/minute", "10/second;", "1/second;0/day"])
def test_limit_that_cannot_work_is_refused_by_name(text):
    with pytest.raises(ConfigurationError, match="FRAUDSCORE_RATE_LIMIT must be like"):
        parse_limits(text)


@given(st.text(alphabet="0123456789/;, secondminuthay", max_size=30))
def test_limits_are_read_or_refused_but_never_fail_otherwise(text):
    with contextlib.suppress(ConfigurationError):
        assert all(limit.amount > 0 < limit.get_expiry() for limit in parse_limits(text))


def test_memory_is_bounded_however_many_clients_there_are(clock):
    counters = WorkerCounters(clock, most_counters=100)

    for i in range(1000):
        counters.incr(f"client-{i}", 60)

    assert counters.reset() == 100


def test_counters_that_have_run_out_are_dropped(clock):
    counters = WorkerCounters(clock)
    for i in range(50):
        counters.incr(f"client-{i}", 60)

    clock.now += 61
    counters.incr("another", 60)

    assert counters.get("client-1") == 0
    assert counters.reset() == 1


def test_cleared_counter_begins_anew(clock):
    counters = WorkerCounters(clock)
    counters.incr("a", 60, 5)

    counters.clear("a")

    assert (counters.get("a"), counters.get_expiry("a")) == (0, clock.now)
    assert counters.incr("a", 60) == 1


@pytest.fixture
def redis_url(tmp_path):
    """Start a Redis and return its address."""
    if REDIS is None:
        pytest.skip("there is no redis-server here")
    path = tmp_path / "redis"
    url = f"redis+unix://{path}"
    process = start_redis(path)
    yield url
    process.kill()
    process.wait()


def start_redis(path):
    """Start a Redis on a socket of the file system, and wait until it answers."""
    options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(path.parent)]
    process = subprocess.Popen([REDIS, *options], stdout=subprocess.DEVNULL)  # noqa: S603

    def answers():
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"

    wait_for(answers, "an answer of Redis")
    return process


def test_workers_count_together_in_redis(redis_url):
    first, second = (RateLimits("3/hour", redis_url) for _ in range(2))

    passed = [passes(limits) for limits in (first, second, first, second, first)]

    assert passed == [True, True, True, False, False]
    assert first.failures == second.failures == 0


def test_refusal_by_redis_says_when_to_come_back(redis_url):
    limits = RateLimits("1/1000 seconds", redis_url)
    limits.count("a")

    with pytest.raises(RateLimited) as caught:
        limits.count("a")

    assert 1 <= int(dict(caught.value.get_headers())["Retry-After"]) <= 1000


def test_redis_that_stops_takes_nothing_down_and_is_used_again_when_it_is_back(
    tmp_path, clock, caplog
):
    if REDIS is None:
        pytest.skip("there is no redis-server here")
    caplog.set_level(logging.INFO, "app")
    path = tmp_path / "redis"
    process = start_redis(path)
    limits = RateLimits("2/hour", f"redis+unix://{path}", clock)
    other = RateLimits("2/hour", f"redis+unix://{path}", clock)
    assert passes(limits)

    process.kill()
    process.wait()
    path.unlink(missing_ok=True)
    down = [passes(limits) for _ in range(3)]  # this worker's own count
    clock.now += 10
    passes(limits)
    assert down == [True, True, False]
    assert limits.failures == 2  # asked once, left alone for a while, asked again

    process = start_redis(path)
    try:
        clock.now += 10
        assert [passes(limits), passes(other), passes(limits)] == [True, True, False]
    finally:
        process.kill()
        process.wait()
    told = [record.getMessage() for record in caplog.records]
    assert sum("Redis does not answer" in line for line in told) == 1
    assert sum("Redis answers again" in line for line in told) == 1


def test_redis_that_accepts_and_never_answers_holds_a_request_only_briefly(clock):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://:secret-of-redis@127.0.0.1:{silent.getsockname()[1]}/0"
        limits = RateLimits("1/hour", url, clock)

        assert passes(limits)
        assert not passes(limits)

        assert limits.failures == 1
        limits._shared.storage.storage.close()


def test_start_needs_no_redis_and_the_log_never_holds_its_password(caplog):
    caplog.set_level(logging.INFO, "app")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"redis://:secret-of-redis@127.0.0.1:{closed.getsockname()[1]}/0"
        limits = RateLimits("1/hour", url)

        assert passes(limits)

    assert limits.failures == 1
    assert "Redis does not answer" in caplog.text
    assert "secret-of-redis" not in caplog.text


@pytest.mark.parametrize(
    "url", ["", "localhost", "http://secret-of-redis", "redis://h:port-secret"]
)
def test_address_that_is_none_of_redis_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigurationError) as caught:
        RateLimits("1/hour", url)

    assert "FRAUDSCORE_REDIS_URL must be like" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_start_says_where_limits_are_counted(caplog):
    caplog.set_level(logging.INFO, "app")

    RateLimits("5/minute")

    assert caplog.messages == ["rate limits: 5/minute, counted in each worker"]
