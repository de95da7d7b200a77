"""Class weights, resampling, and frauds in every batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import model
from model.errors import ConfigurationError
from training.imbalance import (
    class_weights_of_strength,
    compute_class_weights,
    fraud_batches,
    learned_share,
    resample,
    resampled_labels,
)

METHODS = ["smote", "oversample", "undersample"]


def labels_of(n_frauds, n_legitimate):
    """Return shuffled labels."""
    labels = np.r_[np.ones(n_frauds, int), np.zeros(n_legitimate, int)]
    return np.random.default_rng(1).permutation(labels)


def test_balanced_class_weights_are_the_models_own():
    assert compute_class_weights is model.compute_class_weights
    assert compute_class_weights([0] * 9 + [1]) == {0: pytest.approx(0.5556, abs=1e-4), 1: 5.0}


def test_no_strength_weighs_all_rows_alike():
    assert class_weights_of_strength(labels_of(5, 95), 0.0) == {0: 1.0, 1: 1.0}


def test_full_strength_is_balanced():
    y = labels_of(5, 95)

    assert class_weights_of_strength(y, 1.0) == pytest.approx(compute_class_weights(y))


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.75])
def test_strength_between_is_a_power_of_the_balanced_ratio(strength):
    y = labels_of(5, 95)

    weights = class_weights_of_strength(y, strength)

    assert weights[1] / weights[0] == pytest.approx((95 / 5) ** strength)
    assert 5 * weights[1] + 95 * weights[0] == pytest.approx(100)


@pytest.mark.parametrize("method", METHODS)
def test_resampling_reaches_the_share_that_was_asked_for(rng, method):
    y = labels_of(20, 380)
    X = rng.normal(size=(400, 3)).astype(np.float32)

    X_new, y_new = resample(X, y, method, 0.25, rng)

    assert y_new.mean() == pytest.approx(0.25, abs=0.005)
    assert X_new.shape == (len(y_new), 3)
    assert X_new.dtype == np.float32
    assert X_new.flags.c_contiguous
    n_frauds, n_legitimate = int(y_new.sum()), int((1 - y_new).sum())
    assert (n_frauds == 20) == (method == "undersample")
    assert (n_legitimate == 380) == (method != "undersample")


@pytest.mark.parametrize("share", [0.0, 0.03, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("method", ["none", *METHODS])
def test_labels_after_resampling_are_foreseen(rng, method, share):
    y = labels_of(20, 380)
    X = rng.normal(size=(400, 3)).astype(np.float32)

    foreseen = resampled_labels(y, method, share)

    expected = y if method == "none" or share < 0.05 else resample(X, y, method, share, rng)[1]
    np.testing.assert_array_equal(foreseen, np.sort(expected))


@pytest.mark.parametrize("method", ["oversample", "undersample"])
def test_sampling_makes_no_new_rows(rng, method):
    y = labels_of(20, 380)
    X = rng.normal(size=(400, 2))

    X_new, y_new = resample(X, y, method, 0.25, rng)

    before = {(*row, label) for row, label in zip(X.tolist(), y.tolist(), strict=True)}
    after = {(*row, label) for row, label in zip(X_new.tolist(), y_new.tolist(), strict=True)}
    assert after <= before


def test_smote_makes_frauds_between_frauds(rng):
    y = labels_of(20, 380)
    X = rng.normal(size=(400, 2)) + 10 * y[:, None]

    X_new, y_new = resample(X, y, "smote", 0.25, rng)

    frauds = X_new[y_new == 1]
    assert len(frauds) > 100
    assert (frauds.min(axis=0) >= X[y == 1].min(axis=0)).all()
    assert (frauds.max(axis=0) <= X[y == 1].max(axis=0)).all()


@pytest.mark.parametrize("method", METHODS)
def test_resampling_depends_on_the_generator_alone(method):
    y, X = labels_of(20, 380), np.random.default_rng(5).normal(size=(400, 2))

    first, again, other = (
        resample(X, y, method, 0.25, np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("share", [0.05, 0.04, 1.0, 0.0])
def test_resampling_to_fewer_frauds_is_refused(rng, share):
    with pytest.raises(ConfigurationError, match=r"resampled_share .* 0\.05"):
        resample(np.zeros((400, 2)), labels_of(20, 380), "oversample", share, rng)


def test_smote_of_a_handful_of_frauds_is_refused(rng):
    with pytest.raises(ConfigurationError, match="more than 5 frauds"):
        resample(np.zeros((100, 2)), labels_of(5, 95), "smote", 0.5, rng)


def test_unknown_resampling_is_refused(rng):
    with pytest.raises(ConfigurationError, match="adasyn"):
        resample(np.zeros((100, 2)), labels_of(5, 95), "adasyn", 0.5, rng)


@settings(max_examples=150)
@given(
    n_frauds=st.integers(1, 40),
    n_legitimate=st.integers(1, 200),
    batch_size=st.integers(2, 64),
    data=st.data(),
)
def test_every_batch_has_its_frauds_and_every_row_its_turn(
    n_frauds, n_legitimate, batch_size, data
):
    y = labels_of(n_frauds, n_legitimate)
    min_frauds = data.draw(st.integers(1, batch_size - 1))

    batches = list(fraud_batches(y, batch_size, min_frauds, np.random.default_rng(0)))

    assert all(len(rows) <= batch_size for rows in batches)
    assert all(y[rows].sum() == min_frauds for rows in batches)
    rows = np.concatenate(batches)
    times = np.bincount(rows, minlength=len(y))
    assert (times[y == 0] == 1).all()
    assert (times[y == 1] >= 1).all()
    assert times[y == 1].max() - times[y == 1].min() <= 1
    assert learned_share(y, batch_size, min_frauds) == pytest.approx(y[rows].mean(), abs=1e-12)


@pytest.mark.parametrize(("n_frauds", "min_frauds"), [(10, 0), (0, 4)])
def test_without_frauds_to_guarantee_batches_are_plain(n_frauds, min_frauds):
    y = labels_of(n_frauds, 95)

    batches = list(fraud_batches(y, 32, min_frauds, np.random.default_rng(0)))

    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(len(y)))
    assert learned_share(y, 32, min_frauds) == y.mean()


def test_frauds_are_not_gathered_at_one_end_of_a_batch():
    y = labels_of(10, 990)

    batches = fraud_batches(y, 100, 10, np.random.default_rng(0))

    positions = [np.flatnonzero(y[rows]).mean() for rows in batches]
    assert 30 < np.mean(positions) < 70
