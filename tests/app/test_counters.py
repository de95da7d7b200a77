"""Counters in bounded memory: exact while they fit, and never too low where they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.counters import CounterTable
from app.access.limits import Limit

WINDOW_S = 10
LIMITS = st.integers(1, 4).map(lambda amount: Limit(amount, WINDOW_S, "second"))
CLIENTS = st.builds("198.{}.100.{}".format, st.integers(1, 2), st.integers(1, 3))
PAUSES = st.sampled_from([0] * 8 + [1, 3, 6])
ARRIVALS = st.lists(st.tuples(CLIENTS, PAUSES), max_size=100)


def ask(table, client, now):
    """Count a request unless it is refused; return until when it is."""
    end = table.used_up_until(client, now)
    if end is None:
        table.count(client, now)
    return end


@given(LIMITS, ARRIVALS)
def test_counters_that_fit_are_those_of_a_fixed_window(limit, arrivals):
    table = CounterTable("address", limit, most_counters=20)
    windows, now = {}, 0.0

    for client, pause in arrivals:
        now += pause
        began, used = windows.get(client, (now, 0))
        if began + WINDOW_S <= now:
            began, used = now, 0
        refused_until = began + WINDOW_S if used >= limit.amount else None
        if refused_until is None:
            windows[client] = began, used + 1
        assert ask(table, client, now) == refused_until


@given(LIMITS, ARRIVALS, st.integers(1, 4))
def test_limits_hold_in_a_table_that_is_too_small(limit, arrivals, most_counters):
    table = CounterTable("address", limit, most_counters)
    refused_until, passed, now = {}, {}, 0.0

    for client, pause in arrivals:
        now += pause
        end = ask(table, client, now)
        assert len(table) <= most_counters
        if end is None:
            assert now >= refused_until.get(client, now), "who was refused stays so until then"
            passed.setdefault(client, []).append(now)
        else:
            assert now < end <= now + WINDOW_S
            refused_until[client] = max(end, refused_until.get(client, end))

    for times in passed.values():
        for began in times:
            window = [t for t in times if began <= t < began + WINDOW_S]
            assert len(window) <= 2 * limit.amount  # the end of one window and the next
            if not any(began - WINDOW_S < t < began for t in times):
                assert len(window) <= limit.amount


@pytest.mark.parametrize("network", ["10.{}.{}.{}", "2001:db8:{:x}:{:x}{:02x}::/64"])
def test_who_is_refused_stays_so_however_many_others_come(network):
    table = CounterTable("address", Limit(2, 1, "hour"), most_counters=100)
    for _ in range(2):
        table.count("203.0.113.9", 0.0)

    for i in range(5000):
        ask(table, network.format(i >> 16, i >> 8 & 255, i & 255), i / 10)

        assert len(table) <= 100
        assert table.used_up_until("203.0.113.9", i / 10) == 3600


def test_clients_that_came_once_are_in_nobodys_way():
    """It takes as many requests as there are counters, times the limit, to be in anybody's way."""
    table = CounterTable("address", Limit(50, 1, "hour"), most_counters=100)
    for i in range(4800):
        assert ask(table, f"2001:db8:{i >> 8:x}:{i & 255:x}::/64", 0.0) is None

    assert ask(table, "2001:db8:ffff:1::/64", 0.0) is None
    assert ask(table, "192.0.2.1", 0.0) is None


def test_network_cannot_use_up_what_its_neighbours_may_by_a_few_busy_clients():
    limit = Limit(1000, 1, "hour")
    table = CounterTable("address", limit, most_counters=100)
    for i in range(100):
        ask(table, f"2001:db8:{i:x}:1::/64", 0.0)

    for busy in range(30):
        for _ in range(100):
            ask(table, f"2001:db8:{busy:x}:1::/64", 0.0)
        for i in range(100):
            ask(table, f"2001:db8:{busy:x}:{i + 2:x}::/64", 0.0)

    passed = [ask(table, "2001:db8:ffff:1::/64", 0.0) is None for _ in range(1000)]
    assert sum(passed) >= 900


def test_counter_that_is_given_up_is_the_least_used_of_all():
    table = CounterTable("address", Limit(100, 1, "hour"), most_counters=10)
    for i in range(10):
        for _ in range(63 if i == 0 else 32):
            ask(table, f"2001:db8:{i:x}:1::/64", 0.0)

    passed = [ask(table, "2001:db8:ffff:1::/64", 0.0) is None for _ in range(100)]

    assert sum(passed) == 68


def test_client_that_lost_its_counter_goes_on_where_it_was():
    table = CounterTable("address", Limit(5, 10, "second"), most_counters=1)
    passed = [ask(table, "198.51.100.1", 0.0) is None for _ in range(3)]
    ask(table, "203.0.113.1", 1.0)

    passed += [ask(table, "198.51.100.1", 9.0) is None for _ in range(3)]

    assert passed == [True] * 5 + [False]


def test_remainder_counts_until_the_last_window_that_it_stands_for_has_ended():
    table = CounterTable("address", Limit(2, 10, "second"), most_counters=2)
    for _ in range(2):
        ask(table, "198.51.100.1", 0.0)
    ask(table, "198.51.100.2", 2.0)
    for i in range(2):  # which first the less used client makes way for, then the other
        for _ in range(2):
            ask(table, f"20{i}.0.113.1", 2.0)

    passed = [ask(table, "198.51.100.2", 11.0) is None for _ in range(2)]

    assert passed == [False, False]
    assert ask(table, "198.51.100.2", 12.0) is None


def test_what_all_have_counted_comes_on_top_of_what_is_not_told_yet():
    table = CounterTable("address", Limit(10, 1, "hour"))
    counter = table.count("a", 0.0)
    counter.untold = 2

    table.learn(counter, 7, 100.0)
    assert table.used_up_until("a", 0.0) is None
    table.learn(counter, 8, 200.0)

    assert table.used_up_until("a", 0.0) == 100


def test_redis_that_lost_its_counts_gives_nothing_back():
    table = CounterTable("address", Limit(2, 1, "hour"))
    counter = [table.count("a", 0.0) for _ in range(2)][-1]

    table.learn(counter, 1, 3600.0)

    assert table.used_up_until("a", 0.0) == 3600


def test_network_that_uses_up_every_counter_keeps_its_neighbours_out_and_nobody_else():
    table = CounterTable("address", Limit(3, 1, "hour"), most_counters=100)
    for i in range(1000):
        for _ in range(4):
            ask(table, f"2001:db8:{i:x}:1::/64", 0.0)

    assert ask(table, "2001:db8:ffff:1::/64", 1.0) == 3600
    elsewhere = [ask(table, f"{i}.0.2.1", 1.0) for i in range(1, 21)]
    assert elsewhere.count(None) >= 18  # neighbourhoods are drawn, and two can fall together
    assert ask(table, "2001:db8:ffff:1::/64", 3600.0) is None


def test_counters_that_have_ended_go_a_few_at_a_time():
    table = CounterTable("address", Limit(3, 1, "minute"))
    for i in range(1000):
        table.count(str(i), 0.0)

    table.count("another", 60.0)
    after_one = len(table)
    for i in range(200):
        table.count(str(i), 60.0)

    assert 900 < after_one < 1000
    assert len(table) == 201
