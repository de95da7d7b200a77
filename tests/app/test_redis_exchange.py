"""Workers that count together through Redis, and go on alone whatever it does."""

import contextlib
import logging
import socket
import threading

import pytest

from app.access import redis_exchange
from app.access.rate_limit import RateLimited, RateLimits
from app.access.redis_exchange import ANSWER_S, HEARTBEAT_S
from model.errors import ConfigurationError
from tests.app.gunicorn import wait_for
from tests.app.limited import Clock, passes
from tests.app.redis_peers import (
    Peer,
    answering,
    dripping,
    resetting,
    running_redis,
    silent,
    slow,
    start_redis,
)


@pytest.fixture
def clock():
    """Return a clock."""
    return Clock()


@pytest.fixture
def redis_url(tmp_path):
    """Start a Redis and return its address."""
    with running_redis(tmp_path / "redis") as url:
        yield url


@pytest.fixture
def listen():
    """Return a function that starts a peer with a behaviour."""
    with contextlib.ExitStack() as running:

        def begin(behave):
            peer = Peer(behave)
            running.callback(peer.close)
            return peer

        yield begin


@pytest.fixture
def worker():
    """Return a function that makes the limits of a worker, which exchanges when told to."""
    made = []

    def make(limits, url, clock=None, **options):
        made.append(RateLimits(limits, url, clock or Clock(), **options))
        return made[-1]

    yield make
    for limits in made:
        limits.exchange._redis.close()


def exchange(*workers):
    """Let each worker tell and learn; return whether all could."""
    return all([limits.exchange.exchange() for limits in workers])


def messages(caplog):
    """Return what was logged of Redis."""
    return [m for m in caplog.messages if m.startswith("Redis")]


def test_address_may_say_that_one_connection_is_enough(redis_url, worker):
    limits = worker("1/hour", f"{redis_url}?max_connections=1")

    assert exchange(limits)


def test_workers_count_together(redis_url, worker):
    first, second = (worker("4/hour", redis_url) for _ in range(2))
    assert exchange(first, second)

    assert [passes(first), passes(second), passes(first)] == [True] * 3
    assert exchange(first, second)

    assert [passes(second), passes(second)] == [True, False]  # it knows all four
    assert passes(first)  # which has not heard of the last
    assert exchange(second, first)
    assert not passes(first)
    assert first.failures == second.failures == 0


def test_worker_that_hears_of_a_client_late_lets_pass_only_what_comes_until_then(redis_url, worker):
    first, second = (worker("10/hour", redis_url) for _ in range(2))
    exchange(first, second)
    assert [passes(first) for _ in range(11)] == [True] * 10 + [False]
    exchange(first)

    assert passes(second)
    exchange(second)

    assert not passes(second)


def test_window_of_all_workers_ends_with_the_one_that_began_it(redis_url, worker):
    clocks = Clock(), Clock()
    first, second = (worker("2/1000 seconds", redis_url, clock) for clock in clocks)
    exchange(first, second)
    clocks[0].now -= 600  # its window began ten minutes ago
    passes(first)
    clocks[0].now += 600
    exchange(first)
    passes(second)
    exchange(second)

    with pytest.raises(RateLimited) as caught:
        second.count("address", "a")

    assert 395 <= int(dict(caught.value.get_headers())["Retry-After"]) <= 400
    clocks[1].now += 401
    assert passes(second)


def test_what_a_window_that_ended_has_counted_is_not_told(redis_url, worker, clock):
    first, second = (worker("3/10 seconds", redis_url, clock) for _ in range(2))
    exchange(first, second)
    assert [passes(first) for _ in range(3)] == [True] * 3

    clock.now += 10
    assert passes(first)
    assert exchange(first)
    assert passes(second)
    assert exchange(second)

    assert [passes(second), passes(second)] == [True, False]


def test_counters_that_were_given_up_are_told_too(redis_url, worker):
    small, large = worker("2/hour", redis_url, most_counters=3), worker("2/hour", redis_url)
    exchange(small, large)
    clients = [f"{i}.0.0.1" for i in range(50)]
    for client in clients * 2:
        passes(small, client)
    exchange(small)

    passed = [passes(large, client) for client in clients]
    exchange(large)

    assert passed == [True] * 50
    assert [passes(large, client) for client in clients].count(True) == 0


def test_more_than_one_exchange_carries_goes_with_the_next(redis_url, worker, monkeypatch):
    monkeypatch.setattr(redis_exchange, "_MOST_AT_ONCE", 10)
    first, second = (worker("1/hour", redis_url) for _ in range(2))
    exchange(first, second)
    clients = [f"{i}.0.0.1" for i in range(35)]
    for client in clients:
        passes(first, client)
    for _ in range(4):
        assert exchange(first)

    for client in clients:
        passes(second, client)
        exchange(second)

    assert not any(passes(second, client) for client in clients)


def test_counting_touches_no_network(listen, worker, monkeypatch):
    peer = listen(silent)
    limits = worker("5/hour", peer.url)
    here = threading.current_thread()

    def refuse(*_):
        assert threading.current_thread() is not here, "a request waits for the network"

    for name in ("connect", "sendall", "recv"):
        monkeypatch.setattr(socket.socket, name, refuse, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    limits.exchange._is_shared = True  # so that there is something to tell

    assert [passes(limits) for _ in range(6)] == [True] * 5 + [False]
    assert peer.accepted == 0


TWO_NUMBERS = b"$3\r\n1 2\r\n"
ERRORS = {
    b"-LOADING Redis is loading the dataset in memory\r\n": "BusyLoadingError",
    b"-READONLY You can't write against a read only replica.\r\n": "ReadOnlyError",
    b"-MOVED 3999 127.0.0.1:6381\r\n": "",
    b"-NOAUTH Authentication required.\r\n": "AuthenticationError",
    b"-OOM command not allowed when used memory > 'maxmemory'.\r\n": "OutOfMemoryError",
    b"-CLUSTERDOWN The cluster is down\r\n": "",
    b"+OK\r\n": "",
    b":1\r\n": "",
    b"$5\r\n1 2 3\r\n": "ValueError",
    b"*0\r\n": "",
    b"HTTP/1.1 400 Bad Request\r\n\r\n": "",
}


@pytest.mark.parametrize(("answer", "kind"), ERRORS.items())
def test_redis_that_answers_something_else_is_a_failure_that_is_told_once(
    listen, worker, caplog, answer, kind
):
    peer = listen(answering(answer))
    limits = worker("2/hour", peer.url.replace(":secret-of-redis@", ""))

    assert not exchange(limits)
    assert not exchange(limits)

    assert [passes(limits) for _ in range(3)] == [True, True, False]
    assert limits.failures == 2
    assert peer.accepted == 2  # whoever is behind the name by then
    assert len(messages(caplog)) == 1
    assert f"Redis fails ({kind}" in messages(caplog)[0]


@pytest.mark.parametrize("behave", [resetting, silent, dripping])
def test_redis_that_does_not_answer_is_left_alone_in_time(listen, worker, clock, caplog, behave):
    peer = listen(behave)
    limits = worker("2/hour", peer.url, clock)
    asking = threading.Thread(target=limits.exchange.exchange)
    asking.start()
    wait_for(lambda: peer.accepted, "a connection")

    assert [passes(limits) for _ in range(3)] == [True, True, False]
    clock.now += ANSWER_S
    limits.exchange.give_up_late()
    asking.join()

    assert limits.failures == 1
    assert len(messages(caplog)) == 1
    assert "secret-of-redis" not in caplog.text


def test_tls_that_stalls_holds_nobody(listen, worker, clock, monkeypatch):
    monkeypatch.setattr(redis_exchange, "_SOCKET_TIMEOUT_S", 0.1)
    peer = listen(silent)
    limits = worker("2/hour", f"rediss://{peer.address}/0", clock)

    assert not exchange(limits)

    assert limits.failures == 1
    assert passes(limits)


def test_name_server_that_is_silent_holds_nobody(worker, clock, monkeypatch, caplog):
    is_asked, may_answer = threading.Event(), threading.Event()

    def look_up(*_args, **_options):
        is_asked.set()
        may_answer.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    limits = worker("1000/hour", "redis://redis.invalid/0", clock)
    asking = threading.Thread(target=limits.exchange.exchange)
    asking.start()
    is_asked.wait()
    try:
        assert [passes(limits) for _ in range(1001)] == [True] * 1000 + [False]
        clock.now += ANSWER_S
        limits.exchange.give_up_late()
        assert messages(caplog) == [
            "Redis fails (no answer within 2 s): each worker counts rate limits alone"
        ]
    finally:
        may_answer.set()
        asking.join()
    assert limits.failures == 1


def test_name_that_does_not_exist_is_a_failure(worker, monkeypatch, caplog):
    def look_up(*_args, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    assert not exchange(limits := worker("1/hour", "redis://redis.invalid/0"))

    assert passes(limits)
    assert "Redis fails (ConnectionError)" in caplog.text


def test_redis_that_stops_is_used_again_when_it_is_back(tmp_path, worker, clock, caplog):
    caplog.set_level(logging.INFO, "app")
    path = tmp_path / "redis"
    process = start_redis(path)
    first, second = (worker("4/hour", f"redis+unix://{path}", clock) for _ in range(2))
    assert exchange(first, second)
    assert passes(first)
    assert passes(first)
    assert exchange(first)

    process.kill()
    process.wait()
    path.unlink(missing_ok=True)
    clock.now += HEARTBEAT_S
    assert not exchange(first)
    assert [passes(first) for _ in range(3)] == [True, True, False]  # its own count goes on
    assert [passes(second) for _ in range(5)] == [True] * 4 + [False]
    clock.now += 3600

    with running_redis(path):
        assert not first.exchange._is_shared
        assert exchange(first, second)
        assert passes(first)
        assert exchange(first)
        assert passes(second)
        assert exchange(second)
        assert [passes(second) for _ in range(3)] == [True, True, False]
    assert [line.split(":")[0] for line in messages(caplog)] == [
        "Redis fails (ConnectionError)",
        "Redis answers again",
    ]


def test_what_was_counted_while_redis_failed_is_not_told_later(
    listen, redis_url, worker, clock, monkeypatch
):
    monkeypatch.setattr(redis_exchange, "_MOST_AT_ONCE", 1)
    redis = slow(redis_url.removeprefix("redis+unix://"), 0)
    peer = listen(redis)
    first = worker("3/hour", f"redis://{peer.address}/0", clock)
    second = worker("3/hour", redis_url, clock)
    assert exchange(first, second)
    assert passes(first, "a")
    assert passes(first, "b")
    peer.behave = resetting
    peer.drop_connections()
    assert not exchange(first)  # which carried one, and the other waited
    assert first.exchange._untold == []
    assert passes(first, "b")
    peer.behave = redis
    assert exchange(first)

    assert passes(first, "b")  # the first that is told
    assert exchange(first)
    assert passes(second, "b")
    assert exchange(second)

    assert [passes(second, "b"), passes(second, "b")] == [True, False]


def test_answer_that_comes_too_late_changes_nothing(redis_url, worker, clock):
    limits = worker("3/hour", redis_url, clock)
    assert exchange(limits)
    assert passes(limits)

    def answer_late(_names, _news):
        clock.now += ANSWER_S
        limits.exchange.give_up_late()
        return b"3 1000"

    limits.exchange._ask = answer_late

    assert not exchange(limits)
    assert passes(limits)
    assert limits.failures == 1


def test_answer_about_fewer_clients_is_a_failure(listen, worker):
    limits = worker("2/hour;5/day", f"redis://{listen(answering(TWO_NUMBERS)).address}/0")
    assert exchange(limits)  # a heartbeat has no more
    assert passes(limits)

    assert not exchange(limits)


def test_failure_is_noticed_where_nobody_asks(redis_url, worker, clock, listen):
    peer = listen(slow(redis_url.removeprefix("redis+unix://"), 0))
    limits = worker("1/hour", peer.url.replace(":secret-of-redis@", ""), clock)
    assert exchange(limits)
    peer.behave = resetting
    peer.drop_connections()

    assert exchange(limits)  # nothing to tell, and it is not time for a heartbeat yet
    clock.now += HEARTBEAT_S
    assert not exchange(limits)

    assert limits.failures == 1


def test_what_is_untold_is_bounded(redis_url, worker, monkeypatch):
    monkeypatch.setattr(redis_exchange, "_MOST_UNTOLD", 10)
    limits = worker("5/hour", redis_url)
    exchange(limits)

    for i in range(100):
        passes(limits, f"{i}.0.0.1")

    assert len(limits.exchange._untold) == 10


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "http://secret-of-redis",
        "redis://h:port-secret",
        "redis://h/0?secret=1",
    ],
)
def test_address_that_is_none_of_redis_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigurationError) as caught:
        RateLimits("1/hour", url)

    assert "FRAUDSCORE_REDIS_URL must be like" in str(caught.value)
    assert "secret" not in str(caught.value)
