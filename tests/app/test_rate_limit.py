"""Rate limits: which requests pass, and what is said of those that do not."""

import contextlib
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.limits import parse_limits
from app.access.rate_limit import RateLimited, RateLimits
from model.errors import ConfigurationError
from tests.app.limited import Clock, passes


@pytest.fixture
def clock():
    """Return a clock."""
    return Clock()


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


def test_request_that_a_longer_window_refuses_uses_up_no_shorter_one(clock):
    limits = RateLimits("2/second;3/minute", clock=clock)
    for _ in range(3):
        passes(limits)
        clock.now += 1.01
    clock.now += 56.6  # in the same minute

    refused = [passes(limits) for _ in range(5)]
    clock.now += 0.5  # in the same second, and the next minute

    assert refused == [False] * 5
    assert [passes(limits) for _ in range(3)] == [True, True, False]


def test_refusal_names_the_limit_that_takes_longest_to_come_back(clock):
    limits = RateLimits("1/second;1/hour", clock=clock)
    limits.count("address", "a")

    with pytest.raises(RateLimited) as caught:
        limits.count("address", "a")

    assert dict(caught.value.get_headers())["RateLimit"] == '"1/hour";r=0;t=3600'


def test_addresses_use_up_nothing_of_a_key(clock):
    limits = RateLimits("1/hour", clock=clock, most_counters=10)
    for i in range(200):
        passes(limits, f"198.51.100.{i}")

    limits.count("key", "198.51.100.1")
    with pytest.raises(RateLimited):
        limits.count("key", "198.51.100.1")


def test_refusal_says_which_limit_and_when_to_come_back(clock):
    limits = RateLimits("5/minute;1/10 seconds", clock=clock)
    limits.count("address", "a")
    clock.now += 2.5

    with pytest.raises(RateLimited) as caught:
        limits.count("address", "a")

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

    found = [(limit.amount, limit.window_s) for limit in parse_limits(text)]

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
        assert all(limit.amount > 0 < limit.window_s for limit in parse_limits(text))


def test_start_says_where_limits_are_counted(caplog):
    caplog.set_level(logging.INFO, "app")

    RateLimits("5/minute")

    assert caplog.messages == ["rate limits: 5/minute, counted in each worker"]
