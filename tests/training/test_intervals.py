"""Intervals: against independent implementations, at their ends, and as often right as they say."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from training.intervals import (
    Z,
    auc_interval,
    drawn_interval,
    ratio_interval,
    share,
    share_interval,
    sum_interval,
    with_unseen_frauds,
)
from training.ranking import Ranking

counts = st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


def wilson(n, of):
    """Return the score interval as its formula has it."""
    p, d = n / of, 1 + Z**2 / of
    centre, half = p + Z**2 / (2 * of), Z * np.sqrt(p * (1 - p) / of + Z**2 / (4 * of**2))
    return (centre - half) / d, (centre + half) / d


@given(counts)
def test_share_has_wilsons_interval_and_never_a_point(count):
    low, high = share_interval(*count)

    assert (low, high) == pytest.approx(wilson(*count), abs=1e-12)
    assert low <= count[0] / count[1] <= high
    assert high - low > 0.005


def test_all_of_twenty_may_be_fewer_of_the_next():
    assert share_interval(20, 20) == pytest.approx((0.8389, 1), abs=1e-4)
    assert share_interval(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)


def test_share_of_no_rows_is_not_defined():
    assert share(0, 0) == {"value": None, "low": None, "high": None}
    assert share(3, 4)["value"] == 0.75


@given(counts, counts)
def test_quotient_lies_in_its_interval_and_no_bound_is_out_of_range(top, bottom):
    values = top[0] / top[1], bottom[0] / bottom[1]
    if not any(values):
        return

    low, high = ratio_interval(values, (share_interval(*top), share_interval(*bottom)))

    assert 0 <= low < high
    if values[1]:
        assert low <= values[0] / values[1] * (1 + 1e-12)
        assert values[0] / values[1] <= high * (1 + 1e-12)


def test_quotient_of_nothing_found_is_known_to_one_side():
    nothing, some = share_interval(0, 20), share_interval(3, 20)

    assert ratio_interval((0.15, 0.0), (some, nothing))[1] == float("inf")
    assert ratio_interval((0.15, 0.0), (some, nothing))[0] > 0
    assert ratio_interval((0.0, 0.15), (nothing, some))[0] == 0


def test_limits_of_quotient_and_sum_are_those_of_the_papers():
    """Donner and Zou's equation in the form they print it, and Zou and Donner's."""
    (p, q), (l1, u1), (l2, u2) = (0.05, 0.8), share_interval(10, 200), share_interval(40, 50)
    a = p * q
    lower = (a - np.sqrt(a**2 - l1 * u2 * (2 * p - l1) * (2 * q - u2))) / (u2 * (2 * q - u2))
    upper = (a + np.sqrt(a**2 - u1 * l2 * (2 * p - u1) * (2 * q - l2))) / (l2 * (2 * q - l2))

    assert ratio_interval((p, q), ((l1, u1), (l2, u2))) == pytest.approx((lower, upper))
    below, above = np.hypot(p - l1, q - l2), np.hypot(u1 - p, u2 - q)
    assert sum_interval((p, q), ((l1, u1), (l2, u2))) == pytest.approx((0.85 - below, 0.85 + above))


@pytest.mark.parametrize(("frauds", "rate", "recall"), [(20, 0.002, 0.97), (60, 0.01, 0.6)])
def test_precision_at_another_base_rate_is_covered_as_often_as_promised(frauds, rate, recall):
    rng = np.random.default_rng(0)
    odds, n_legitimate, n_draws = 999, 3000, 1500
    known = cache(share_interval)
    truth = recall / (recall + odds * rate)
    covered = 0

    for _ in range(n_draws):
        tp, fp = int(rng.binomial(frauds, recall)), int(rng.binomial(n_legitimate, rate))
        low, high = ratio_interval(
            (fp / n_legitimate, tp / frauds),
            (known(fp, n_legitimate), known(tp, frauds)),
        )
        covered += 1 / (1 + odds * high) <= truth <= 1 / (1 + odds * low)

    assert 0.93 <= covered / n_draws <= 0.99


def two_kinds(rng, n_frauds, n_legitimate, distance, hidden=0.0):
    """Return labels and scores; some of the frauds look like everybody else."""
    frauds = rng.normal(distance, 1, n_frauds)
    frauds[rng.random(n_frauds) < hidden] -= distance
    y = np.repeat([1, 0], [n_frauds, n_legitimate])
    return y, np.concatenate([frauds, rng.normal(0, 1, n_legitimate)])


@pytest.mark.parametrize(
    ("n_frauds", "n_legitimate", "distance", "hidden"),
    [
        (60, 2000, 0, 0),
        (20, 1000, 2, 0),
        (20, 1000, 5, 0),
        (75, 1000, 3, 0.1),
        (50, 50, 1.5, 0),
    ],
)
def test_auc_is_covered_as_often_as_promised(n_frauds, n_legitimate, distance, hidden):
    rng = np.random.default_rng(1)
    truth = roc_auc_score(*two_kinds(rng, 200_000, 200_000, distance, hidden))
    covered = 0

    for _ in range(400):
        low, high = auc_interval(*two_kinds(rng, n_frauds, n_legitimate, distance, hidden))
        covered += low <= truth <= high

    assert covered >= 0.92 * 400


def test_auc_of_a_model_without_skill_has_the_interval_of_the_rank_sum_test():
    """At 0.5 the variance is that of the Mann-Whitney statistic: (m + n + 1) / (12 m n)."""
    m, n = 40, 400
    rng = np.random.default_rng(5)
    draws = [two_kinds(rng, m, n, 0) for _ in range(300)]
    nearest = min(draws, key=lambda draw: abs(roc_auc_score(*draw) - 0.5))

    low, high = auc_interval(*nearest)

    deviation = np.sqrt((m + n + 1) / (12 * m * n))
    assert high - low == pytest.approx(2 * Z * deviation, rel=0.1)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=2, max_size=40).filter(
        lambda rows: len({y for y, _ in rows}) == 2
    )
)
def test_auc_lies_in_its_interval_which_is_no_point(rows):
    y, scores = np.array([y for y, _ in rows], int), np.array([s for _, s in rows], float)

    low, high = auc_interval(y, scores)

    assert 0 <= low <= roc_auc_score(y, scores) <= high <= 1
    assert high - low > 0.01


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=2, max_size=40).filter(
        lambda rows: len({y for y, _ in rows}) == 2
    )
)
def test_auc_of_turned_scores_has_the_turned_interval(rows):
    y, scores = np.array([y for y, _ in rows], int), np.array([s for _, s in rows], float)

    low, high = auc_interval(y, scores)

    assert auc_interval(y, -scores) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(st.integers(1, 400), st.fractions(0, 1))
def test_drawn_interval_reaches_as_far_as_frauds_that_no_draw_holds(n_frauds, value):
    low, high = with_unseen_frauds(float(value), n_frauds, (float(value), float(value)))

    assert low < high
    assert low <= float(value) <= high
    if value in (0, 1):
        assert (low, high) == pytest.approx(share_interval(int(value) * n_frauds, n_frauds))


def test_wider_draws_are_kept():
    assert with_unseen_frauds(0.5, 10_000, (0.2, 0.9)) == (0.2, 0.9)
    assert drawn_interval([float(n) for n in range(1001)]) == pytest.approx((25, 975))


def test_average_precision_is_covered_where_a_bootstrap_alone_collapses():
    rng = np.random.default_rng(2)
    n_frauds, distance, n_draws = 20, 5, 100
    large = [two_kinds(rng, 20 * n_frauds, 20_000, distance) for _ in range(5)]
    truth = np.mean([average_precision_score(*rows) for rows in large])
    covered = alone = 0

    for _ in range(n_draws):
        y, scores = two_kinds(rng, n_frauds, 1000, distance)
        ranking, draws = Ranking(y, scores), []
        for _ in range(60):
            counts = [rng.multinomial(n, np.full(n, 1 / n)) for n in (n_frauds, 1000)]
            draws.append(ranking.average_precision(np.concatenate(counts)))
        interval = drawn_interval(draws)
        alone += interval[0] <= truth <= interval[1]
        low, high = with_unseen_frauds(average_precision_score(y, scores), n_frauds, interval)
        covered += low <= truth <= high

    assert alone < 0.9 * n_draws
    assert covered >= 0.95 * n_draws
