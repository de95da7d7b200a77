"""Calibration against scikit-learn, and by what it must bring back."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from model.activations import sigmoid
from model.calibration import Calibration, log_odds, prior_correction
from model.calibration_fit import LARGEST_SLOPE, SMALLEST_SLOPE, beta_columns
from model.errors import ConfigurationError
from tests.precision import as_rounded


@pytest.fixture
def validation(rng):
    """Return overconfident logits and labels of 3000 rows, a tenth of them fraud."""
    true = rng.normal(-3, 1.5, 3000)
    return 2.5 * true + 4, (rng.random(3000) < sigmoid(true)).astype(int)


def smoothed_targets(y):
    """Return what Platt fits to: labels drawn in by one row of the other class."""
    n_fraud, n_legitimate = y.sum(), (1 - y).sum()
    return np.where(y == 1, (n_fraud + 1) / (n_fraud + 2), 1 / (n_legitimate + 2))


@pytest.mark.parametrize("offset", [0.0, -3.5])
def test_platt_agrees_with_scikit_learn_on_the_same_smoothed_targets(offset, validation):
    raw, y = validation
    target = smoothed_targets(y)
    z = (raw + offset)[:, None]
    # a soft target t is a row of class 1 with weight t and one of class 0 with weight 1 − t
    peer = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(
        np.concatenate([z, z]),
        np.repeat([1, 0], len(y)),
        sample_weight=np.concatenate([target, 1 - target]),
    )

    calibration = Calibration.fit(raw, y, offset=offset)

    assert calibration.slope == pytest.approx(peer.coef_.item(), rel=1e-4)
    assert calibration.intercept == pytest.approx(peer.intercept_.item(), rel=1e-4)


def test_beta_agrees_with_scikit_learn_on_the_same_smoothed_targets(validation):
    raw, y = validation
    target = smoothed_targets(y)
    p = sigmoid(raw)
    columns = np.column_stack([np.log(p), -np.log1p(-p)])
    peer = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(
        np.concatenate([columns, columns]),
        np.repeat([1, 0], len(y)),
        sample_weight=np.concatenate([target, 1 - target]),
    )

    calibration = Calibration.fit(raw, y, method="beta")

    found = [calibration.slope, calibration.upper_slope, calibration.intercept]
    assert found == pytest.approx([*peer.coef_[0], peer.intercept_.item()], rel=2e-3)
    expected = peer.predict_proba(columns)[:, 1]
    np.testing.assert_allclose(calibration.probability(raw), expected, rtol=1e-3)


def test_beta_brings_back_probabilities_that_a_line_cannot(rng):
    z = rng.normal(0, 3, 20_000)
    true = sigmoid(np.column_stack(beta_columns(z)) @ [0.3, 1.5] - 0.5)
    y = (rng.random(len(z)) < true).astype(int)

    errors = {
        method: np.abs(Calibration.fit(z, y, method=method).probability(z) - true).mean()
        for method in ("platt", "beta", "isotonic")
    }

    assert errors["beta"] < min(0.3 * errors["platt"], 0.7 * errors["isotonic"])


def test_beta_keeps_to_slopes_that_rise(rng):
    """Kull et al. set a slope that would be negative to zero and fit the other again."""
    z = rng.normal(0, 3, 5000)
    y = (rng.random(5000) < sigmoid(np.minimum(z, 0) - 0.3 * np.maximum(z, 0))).astype(int)

    calibration = Calibration.fit(z, y, method="beta")

    below, above = beta_columns(z)
    target = smoothed_targets(y)
    assert calibration.upper_slope == SMALLEST_SLOPE

    def loss(slope, intercept):
        line = slope * below + SMALLEST_SLOPE * above + intercept
        return np.mean(np.logaddexp(0, line) - target * line)

    least = loss(calibration.slope, calibration.intercept)
    for step in (-0.01, 0.01):
        assert loss(calibration.slope + step, calibration.intercept) > least
        assert loss(calibration.slope, calibration.intercept + step) > least


@pytest.mark.parametrize("true", ["platt", "beta", "isotonic"])
def test_auto_takes_the_shape_that_the_rows_have(true, rng):
    z = rng.normal(0, 3, 20_000)
    line = {
        "platt": 0.6 * z - 1,
        "beta": np.column_stack(beta_columns(z)) @ [0.2, 2.0],
        "isotonic": np.where(z > 1, 2.0, np.where(z > -2, -1.0, -4.0)),
    }[true]
    y = (rng.random(len(z)) < sigmoid(line)).astype(int)

    chosen = Calibration.fit(z, y, method="auto", rng=rng)

    assert chosen == Calibration.fit(z, y, method=chosen.method)
    assert chosen.method == true or (true == "platt" and chosen.method == "beta")


def test_auto_does_not_depend_on_the_order_of_the_rows(validation, rng):
    raw, y = validation
    orders = [np.arange(len(y)), rng.permutation(len(y))]

    one, other = (
        Calibration.fit(raw[order], y[order], method="auto", rng=np.random.default_rng(7))
        for order in orders
    )

    assert one.method == other.method
    np.testing.assert_allclose(one.probability(raw), other.probability(raw), rtol=1e-9)


def test_platt_brings_true_probabilities_back(validation):
    raw, y = validation

    calibration = Calibration.fit(raw, y)

    assert calibration.slope == pytest.approx(1 / 2.5, rel=0.1)
    assert calibration.probability(raw).mean() == pytest.approx(y.mean(), abs=1e-3)


def test_platt_is_finite_on_separable_and_on_constant_logits():
    y = np.repeat([0, 1], 50)
    separable, constant = (Calibration.fit(z, y) for z in (np.where(y, 3.0, -3.0), np.ones(100)))

    assert np.isfinite([separable.slope, separable.intercept]).all()
    assert separable.probability(np.array([-3.0, 3.0])) == pytest.approx([1 / 52, 51 / 52])
    assert constant.probability(np.ones(3)) == pytest.approx([0.5] * 3)


def test_network_that_ranks_backwards_is_not_turned_around_but_keeps_the_mean(rng):
    y = rng.integers(0, 2, 1000)
    z = -5 - 2.0 * y + rng.normal(size=1000)

    calibration = Calibration.fit(z, y)

    assert calibration.slope == SMALLEST_SLOPE
    assert calibration.probability(z).mean() == pytest.approx(y.mean(), abs=0.05)


@pytest.mark.parametrize("ties", [False, True])
def test_isotonic_blocks_are_those_of_scikit_learn_as_far_as_smoothed_rates_rise(ties, validation):
    raw, y = validation
    raw = raw.round(1) if ties else raw
    order = np.argsort(raw, kind="stable")
    fitted = IsotonicRegression().fit_transform(raw, y)[order]
    starts = np.flatnonzero(np.diff(fitted, prepend=-1) > 1e-12)
    blocks = np.split(order, starts[1:])

    def level(rows):
        rate = (y[rows].sum() + 0.5) / (len(rows) + 1)
        return np.log(rate / (1 - rate))

    def fits(lower, upper):
        return 0 < level(upper) - level(lower) <= 40 * (raw[upper].mean() - raw[lower].mean())

    while (
        first := next((i for i in range(len(blocks) - 1) if not fits(*blocks[i : i + 2])), -1)
    ) >= 0:
        blocks[first : first + 2] = [np.concatenate(blocks[first : first + 2])]

    calibration = Calibration.fit(raw, y, method="isotonic")

    inner = slice(1, -1)  # the outer ones are the tails
    assert len(calibration.knots[inner]) == len(blocks) > 5
    np.testing.assert_allclose(calibration.knots[inner], [raw[rows].mean() for rows in blocks])
    np.testing.assert_allclose(calibration.levels[inner], [level(rows) for rows in blocks])


def test_isotonic_goes_on_like_platt_outside_of_its_blocks(validation):
    raw, y = validation
    isotonic, platt = (Calibration.fit(raw, y, method=method) for method in ("isotonic", "platt"))
    z = np.linspace(raw.min() - 20, raw.max() + 20, 2001)

    logits = isotonic.logits(z)

    assert (np.diff(logits) > 0).all()
    ends = np.diff(logits)[[0, -1]] / np.diff(z)[0]
    np.testing.assert_allclose(ends, platt.slope, rtol=1e-9)


def test_isotonic_does_not_let_a_few_lowest_rows_lift_the_many_above(rng):
    """Smoothing gives 30 rows without fraud a rate of 1.6 %; the 20,000 above have 0.1 %."""
    z = np.concatenate([rng.normal(-20, 0.1, 30), rng.normal(0, 1, 20_000)])
    y = np.zeros(len(z), int)
    y[30::1000] = 1

    calibration = Calibration.fit(z, y, method="isotonic")

    assert calibration.probability(z).sum() == pytest.approx(y.sum(), rel=0.25)


def test_isotonic_does_not_depend_on_the_order_of_equal_logits(rng):
    z, y = np.repeat([-1.0, 0.0, 1.0], 40), np.tile([0, 0, 0, 1], 30)
    y[80:] = np.tile([0, 1, 1, 1], 10)
    orders = [np.argsort(y + 10 * z, kind="stable"), rng.permutation(120)]

    first, second = (Calibration.fit(z[order], y[order], method="isotonic") for order in orders)

    assert first.to_dict() == as_rounded(second.to_dict(), np.float64)
    assert len(set(first.knots)) == len(first.knots)


METHODS = ["none", "platt", "beta", "isotonic"]


@pytest.mark.parametrize("method", METHODS)
def test_probability_never_falls_as_the_logit_rises(method, validation):
    calibration = Calibration.fit(*validation, method=method, offset=-1.0)

    probability = calibration.probability(np.linspace(-40, 40, 5001))

    assert (np.diff(probability) >= 0).all()
    assert probability.min() >= 0
    assert probability.max() <= 1


@st.composite
def validation_rows(draw):
    """Draw logits that may be close together, tied or separable, and labels of both classes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_rows = draw(st.integers(20, 200))
    y = (np.arange(n_rows) < draw(st.integers(10, n_rows - 10))).astype(int)
    gap = draw(st.sampled_from([0.0, 0.5, 5.0, 50.0]))
    width = draw(st.sampled_from([1e-6, 1e-3, 1.0, 20.0]))
    return (width * (rng.normal(size=n_rows) + gap * y)).round(draw(st.integers(0, 9))), y


@settings(max_examples=150)
@given(validation_rows(), st.sampled_from(METHODS), st.floats(-5, 5))
def test_noise_of_other_processors_moves_no_probability(rows, method, offset):
    raw, y = rows
    calibration = Calibration.fit(raw, y, method=method, offset=offset)
    knots = np.array(calibration.knots) - offset
    z = np.concatenate([np.linspace(raw.min() - 1, raw.max() + 1, 501), raw, knots])

    change = calibration.probability(z + 1e-6) - calibration.probability(z)

    assert np.abs(change).max() <= 1.001e-5


@pytest.mark.parametrize("method", ["platt", "beta", "isotonic"])
def test_classes_that_hardly_differ_in_their_logits_are_told_apart_gently(method):
    z, y = np.repeat([0.0, 1e-4], 50), np.repeat([0, 1], 50)

    calibration = Calibration.fit(z, y, method=method)

    low, high = calibration.logits(np.array([0.0, 1e-4]))
    assert 0 <= high - low <= LARGEST_SLOPE * 1e-4 * 1.001
    assert calibration.probability(z).mean() == pytest.approx(0.5, abs=1e-3)


@settings(max_examples=100)
@given(validation_rows(), st.sampled_from(METHODS), st.floats(0, 50))
def test_interval_lies_around_the_probability_and_within_its_bounds(rows, method, spread):
    raw, y = rows
    calibration = Calibration.fit(raw, y, method=method)
    probability = calibration.probability(raw)

    low, high = calibration.interval(raw, np.full(len(raw), spread))
    wider_low, wider_high = calibration.interval(raw, np.full(len(raw), 2 * spread))

    assert (wider_low >= 0).all()
    ascending = np.stack([wider_low, low, probability, high, wider_high])
    assert (np.diff(ascending, axis=0) >= -1e-12).all()
    assert (wider_high <= 1).all()


@pytest.mark.parametrize("method", METHODS)
def test_extreme_logits_have_finite_probabilities(method, validation):
    calibration = Calibration.fit(*validation, method=method)

    assert np.isfinite(calibration.probability(np.array([-1e6, 1e6]))).all()


@pytest.mark.parametrize("method", ["platt", "beta", "isotonic"])
@pytest.mark.parametrize("label", [0, 1])
def test_too_few_rows_of_a_class_leave_the_prior_correction_alone(method, label):
    y = np.full(100, 1 - label)
    y[:9] = label
    z = np.linspace(-1, 1, 100)

    assert Calibration.fit(z, y, method=method, offset=-2.0) == Calibration("none", offset=-2.0)
    y[9] = label
    assert Calibration.fit(z, y, method=method, offset=-2.0).method == method


def test_correction_of_class_weights_and_resampling_is_by_the_odds():
    assert prior_correction(None, 0.01, 0.01) == 0
    assert prior_correction({0: 0.5, 1: 50.0}, 0.01, 0.01) == pytest.approx(-np.log(100))
    assert prior_correction(None, 0.01, 0.5) == pytest.approx(-np.log(99))
    assert prior_correction({1: 2.0}, 0.01, 0.5) == pytest.approx(-np.log(99) - np.log(2))


@pytest.mark.parametrize("way", ["class weights", "oversampling", "undersampling"])
def test_prior_correction_brings_back_the_rates_of_a_learner_that_saw_others(way, rng):
    """A table of two cells with known rates; logistic regression learns them distorted."""
    x, rates = np.repeat([0, 1], 20_000), np.array([0.01, 0.2])
    y = (rng.random(40_000) < rates[x]).astype(int)
    true = [y[x == cell].mean() for cell in (0, 1)]
    weights, rows = {0: 1.0, 1: 1.0}, np.arange(len(y))
    if way == "class weights":
        weights = {0: 0.55, 1: 5.0}
    elif way == "oversampling":
        rows = np.concatenate([rows, *[np.flatnonzero(y == 1)] * 7])
    else:
        keep = (y == 1) | (rng.random(len(y)) < 0.2)
        rows = np.flatnonzero(keep)
        true = [y[x == cell].mean() for cell in (0, 1)]
    learner = LogisticRegression(C=np.inf, class_weight=weights, tol=1e-10, max_iter=1000)
    learner.fit(x[rows, None], y[rows])

    offset = prior_correction(weights, y.mean(), y[rows].mean())
    probability = Calibration(offset=offset).probability(learner.decision_function([[0], [1]]))

    assert probability == pytest.approx(true, rel=0.05 if way == "undersampling" else 1e-3)


def test_moving_the_base_rate_multiplies_the_odds():
    calibration = Calibration("platt", slope=0.7, intercept=-0.2)
    moved = calibration.moved(0.2, 0.01)
    z = np.array([-3.0, 0.0, 4.0])

    before, after = calibration.probability(z), moved.probability(z)

    odds = after / (1 - after) / (before / (1 - before))
    np.testing.assert_allclose(odds, (0.01 / 0.99) / (0.2 / 0.8))
    np.testing.assert_allclose(moved.moved(0.01, 0.2).probability(z), before)


def test_moving_the_base_rate_is_bayes_rule(rng):
    """Keep one legitimate row in ten: the moved calibration is right in the thinned table."""
    true = rng.normal(-4, 2, 400_000)
    y = rng.random(len(true)) < sigmoid(true)
    kept = y | (rng.random(len(y)) < 0.1)
    z, y_kept = true[kept], y[kept]

    moved = Calibration().moved(y.mean(), y_kept.mean()).probability(z)

    for low, high in ((0, 0.1), (0.1, 0.5), (0.5, 1)):
        chosen = (moved >= low) & (moved < high)
        assert moved[chosen].mean() == pytest.approx(y_kept[chosen].mean(), abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_calibration_survives_json(method, validation):
    calibration = Calibration.fit(*validation, method=method, offset=-1.0).moved(0.1, 0.01)

    assert Calibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration


@pytest.mark.parametrize(
    "facts", [{}, {"knots": [], "levels": 5}, {"knots": [], "levels": [], "x": 1}]
)
def test_facts_that_are_no_calibration_are_refused(facts):
    with pytest.raises(ConfigurationError, match="not a calibration"):
        Calibration.from_dict(facts)


def test_arguments_that_cannot_work_are_refused():
    with pytest.raises(ConfigurationError, match="unknown calibration 'gamma'"):
        Calibration.fit(np.zeros(5), np.zeros(5), method="gamma")
    for rate in (0, 1, -0.1, float("nan")):
        with pytest.raises(ConfigurationError, match="strictly between 0 and 1"):
            log_odds(rate)
