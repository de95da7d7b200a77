"""Training the autoencoder."""

import numpy as np
import pytest

from model.anomaly import AnomalyScale
from training.anomaly import _endless_batches, train_autoencoder
from training.config import AutoencoderConfig
from training.errors import SplitError
from training.split import Split

SMALL = AutoencoderConfig(
    hidden=(8,),
    bottleneck=2,
    members=2,
    epochs=30,
    steps_per_epoch=8,
    batch_size=64,
    learning_rate=0.01,
)
NONE = np.empty(0, np.intp)


def correlated_rows(n_rows=800, seed=0):
    """Return rows of six features that are really two."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n_rows, 2))
    X = np.concatenate([hidden, hidden @ np.array([[1, 1, -1, 2], [1, -1, 2, 1]])], axis=1)
    return (X + 0.1 * rng.normal(size=X.shape)).astype(np.float32)


def holdout(n_rows=800):
    """Return a split into train and two validation parts."""
    rows = np.arange(n_rows)
    return Split(rows[:500], rows[500:650], rows[650:], NONE, None, "")


def trained(X, is_legitimate, parts, seed=0, config=SMALL):
    """Train an autoencoder on rows that are encoded already."""
    return train_autoencoder(
        lambda rows: X[rows], is_legitimate, parts, config, np.random.default_rng(seed)
    )


def test_what_breaks_the_pattern_of_legitimate_rows_is_an_anomaly():
    X = correlated_rows()
    part, history = trained(X, np.ones(800, bool), holdout())

    odd = correlated_rows(200, seed=1)
    odd[:, 3] = -odd[:, 3]
    usual = part.autoencoder.reconstruction_error(correlated_rows(200, seed=2))

    assert history.epochs[-1]["loss"] < history.epochs[0]["loss"]
    assert part.scale.is_anomaly(part.autoencoder.reconstruction_error(odd)).mean() > 0.5
    assert part.scale.is_anomaly(usual).mean() < 0.05


def test_a_few_anomalies_among_the_training_rows_do_not_hide_the_others():
    X, odd = correlated_rows(), correlated_rows(200, seed=1)
    odd[:, 3] += 4 * np.sign(np.random.default_rng(2).normal(size=200)).astype(np.float32)
    spoilt = X.copy()
    spoilt[::50] = odd[:16]  # 2 % of training and validation rows alike

    found = []
    for rows in (X, spoilt):
        part, _ = trained(rows, np.ones(800, bool), holdout())
        usual = part.autoencoder.reconstruction_error(correlated_rows(400, seed=3))
        unusual = part.autoencoder.reconstruction_error(odd[16:])
        found.append((unusual[:, None] > usual).mean())  # the area under the ROC curve

    clean, contaminated = found
    assert clean > 0.95
    assert contaminated > clean - 0.01


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((800, 3), np.float32),
        np.repeat(correlated_rows(4), 200, axis=0),
        correlated_rows()[:, [0, 0, 1]],
    ],
    ids=["constant", "few distinct rows", "a column twice"],
)
def test_degenerate_tables_give_finite_errors(X):
    part, _ = trained(X, np.ones(800, bool), holdout())

    shares = part.autoencoder.residual_shares(X)

    assert np.isfinite(shares).all()
    assert np.isfinite(part.scale.threshold)


def test_tiny_table_is_trained():
    parts = Split(np.arange(3), np.array([3]), np.array([4]), NONE, None, "")

    part, history = trained(correlated_rows(5), np.ones(5, bool), parts)

    assert len(history.epochs) == SMALL.epochs
    assert np.isfinite(part.autoencoder.reconstruction_error(correlated_rows(5))).all()


@pytest.mark.parametrize("n_rows", [30, 500])
def test_epochs_have_as_many_steps_in_any_table(n_rows):
    batches = _endless_batches(np.empty((n_rows, 1)), 64, np.random.default_rng(0))

    first = [next(batches) for _ in range(24)]

    per_round = -(-n_rows // 64)
    for start in range(0, 24 - per_round + 1, per_round):
        np.testing.assert_array_equal(
            np.sort(np.concatenate(first[start : start + per_round])), np.arange(n_rows)
        )


def test_frauds_teach_it_nothing_and_measure_nothing():
    X = correlated_rows()
    is_legitimate = np.arange(800) % 5 != 0
    changed = X.copy()
    changed[~is_legitimate] = 1e3

    one, _ = trained(X, is_legitimate, holdout())
    other, _ = trained(changed, is_legitimate, holdout())

    np.testing.assert_array_equal(one.autoencoder.parameters, other.autoencoder.parameters)
    np.testing.assert_array_equal(one.autoencoder.whitening, other.autoencoder.whitening)
    assert one.scale == other.scale


def test_threshold_is_the_quantile_of_legitimate_validation_errors():
    X = correlated_rows()

    part, _ = trained(X, np.ones(800, bool), holdout())

    errors = part.autoencoder.reconstruction_error(X[501::2])
    assert part.scale.threshold == AnomalyScale.fit(errors, 0.99).threshold
    assert (errors > part.scale.threshold).mean() == pytest.approx(0.01, abs=0.006)


def test_rows_that_measure_the_residuals_do_not_set_the_threshold():
    X = correlated_rows()
    changed = X.copy()
    changed[501::2] += 1  # every other validation row

    one, _ = trained(X, np.ones(800, bool), holdout())
    other, _ = trained(changed, np.ones(800, bool), holdout())

    np.testing.assert_array_equal(one.autoencoder.whitening, other.autoencoder.whitening)
    assert one.scale.threshold != other.scale.threshold


def test_validation_rows_shape_the_scale_and_not_the_weights():
    X = correlated_rows()
    changed = X.copy()
    changed[500:] *= 2

    one, _ = trained(X, np.ones(800, bool), holdout())
    other, _ = trained(changed, np.ones(800, bool), holdout())

    np.testing.assert_array_equal(one.autoencoder.parameters, other.autoencoder.parameters)
    assert one.scale.threshold != other.scale.threshold


def test_where_the_classifier_is_cross_fitted_the_first_fold_is_held_out():
    X = correlated_rows()
    parts = Split(np.arange(800), NONE, NONE, NONE, np.arange(800) % 4, "")
    changed = X.copy()
    changed[::4] *= 2

    one, _ = trained(X, np.ones(800, bool), parts)
    other, _ = trained(changed, np.ones(800, bool), parts)

    np.testing.assert_array_equal(one.autoencoder.parameters, other.autoencoder.parameters)
    errors = one.autoencoder.reconstruction_error(X[4::8])  # every other row of the fold
    assert one.scale.threshold == pytest.approx(AnomalyScale.fit(errors, 0.99).threshold)


@pytest.mark.parametrize("rows", [slice(0, 500), slice(500, 800)])
def test_table_without_legitimate_rows_in_a_part_is_refused(rows):
    is_legitimate = np.ones(800, bool)
    is_legitimate[rows] = False

    with pytest.raises(SplitError, match="legitimate rows"):
        trained(correlated_rows(), is_legitimate, holdout())


def test_the_same_seed_gives_the_same_bits():
    X = correlated_rows()

    first, again, other = (
        trained(X, np.ones(800, bool), holdout(), seed)[0].autoencoder.parameters
        for seed in (1, 1, 2)
    )

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
