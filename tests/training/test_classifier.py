"""Training the classifier: which rows teach, and what is said of the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, log_loss, precision_score

from model.activations import sigmoid
from model.errors import ConfigurationError
from tests.precision import rounding
from tests.training.tables import numeric_table
from training.averaging import as_averaged
from training.chunks import MOST_ROWS
from training.classifier import (
    average_precision,
    build_mlp,
    epoch_figures,
    held_out_logits,
    train_classifier,
)
from training.config import LearningConfig, NetworkConfig, SplitConfig
from training.split import split

TECHNIQUES = {
    "nothing": {},
    "balanced class weights": {"class_weight": 1.0},
    "class weights of half the strength": {"class_weight": 0.5},
    "SMOTE": {"resampling": "smote", "resampled_share": 0.3},
    "oversampling": {"resampling": "oversample", "resampled_share": 0.3},
    "undersampling": {"resampling": "undersample", "resampled_share": 0.3},
    "frauds in every batch": {"min_frauds_per_batch": 6},
    "undersampling and class weights": {
        "resampling": "undersample",
        "resampled_share": 0.2,
        "class_weight": 0.7,
    },
}


def logistic_table(n_rows=8000, seed=0):
    """Return rows of one feature, and labels drawn with a known probability from it."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 1)).astype(np.float32)
    probability = sigmoid(2.0 * X[:, 0] - 4.0)
    return X, (rng.random(n_rows) < probability).astype(np.int64), probability


def trained(X, labels, network=None, seed=0, how="holdout", changed=None, **learning):
    """Train on a table; ``changed`` gives the labels that training sees, the split sees others."""
    rng = np.random.default_rng(seed)
    network = network or NetworkConfig(layers=(), members=1, n_bins=0, drop_probability=0.0)
    config = LearningConfig(
        **{"schedule": "cosine", "learning_rate": 0.02, "weight_decay": 0.0, **learning}
    )
    parts = split(
        numeric_table(labels), SplitConfig("random", validation=how), network.members, rng
    )
    mlp = build_mlp(X.shape[1], network, np.random.default_rng(seed))
    labels = labels if changed is None else changed(parts)
    return train_classifier(mlp, lambda rows: X[rows], labels, parts, config, rng), parts


def test_network_is_built_as_the_configuration_says():
    config = NetworkConfig(layers=(16, 8), activation="tanh", members=3, initializer="zeros")

    mlp = build_mlp(30, config, np.random.default_rng(0))

    assert [(layer.n_in, layer.n_out) for layer in mlp.layers] == [(30, 16), (16, 8), (8, 1)]
    assert [layer.activation.name for layer in mlp.layers] == ["tanh", "tanh", "sigmoid"]
    assert (mlp.members, mlp.dtype) == (3, np.float32)
    assert not mlp.layers[0].weights.any()


def test_textbook_network_has_785_parameters():
    config = NetworkConfig(layers=(16, 16), members=1, n_bins=0, drop_probability=0.0)

    mlp = build_mlp(30, config, np.random.default_rng(0))

    assert (mlp.n_parameters, mlp.members) == (785, None)


@pytest.mark.parametrize("technique", TECHNIQUES.values(), ids=TECHNIQUES)
def test_prior_correction_recovers_the_rate_of_fraud(technique):
    X, labels, probability = logistic_table(20_000)
    fresh = np.random.default_rng(9).normal(size=(20_000, 1)).astype(np.float32)

    # one epoch: on a single feature no epoch ranks better than the first, which would be kept
    classifier, _ = trained(X, labels, epochs=1, batch_size=16, learning_rate=0.1, **technique)

    learned = classifier.mlp.logits(fresh).astype(np.float64)
    rate = sigmoid(learned + classifier.offset).mean()
    assert rate == pytest.approx(probability.mean(), rel=0.12)
    if technique:
        assert sigmoid(learned).mean() > 2 * probability.mean()
    else:
        assert classifier.offset == 0


def test_holdout_calibrates_on_the_second_half_of_the_validation_rows():
    X, labels, _ = logistic_table(2000)

    classifier, parts = trained(X, labels, epochs=2)

    np.testing.assert_array_equal(classifier.calibration_rows, parts.validation_b)
    expected = classifier.mlp.logits(X[parts.validation_b])
    np.testing.assert_allclose(classifier.calibration_logits, expected, **rounding(np.float32))
    assert classifier.calibration_logits.dtype == np.float64
    assert classifier.held_out_logits is classifier.calibration_logits


MEMBERS = NetworkConfig(layers=(8,), members=4, n_bins=0, drop_probability=0.2)


@pytest.mark.parametrize("class_weight", [0.0, 1.0])
def test_member_never_learns_from_the_fold_that_it_leaves_out(class_weight):
    """Labels change places inside a fold: the member that leaves it out is the same to the bit."""
    X, labels, _ = logistic_table(1200)
    options = {"how": "cross_fit", "epochs": 3, "batch_size": 64, "class_weight": class_weight}

    def exchange(parts):
        rows = parts.train[parts.folds == 2]
        changed = labels.copy()
        changed[rows] = changed[rows][::-1]
        assert (changed != labels).any()
        return changed

    one, parts = trained(X, labels, MEMBERS, **options)
    other, _ = trained(X, labels, MEMBERS, changed=exchange, **options)

    for layer, twin in zip(one.mlp.layers, other.mlp.layers, strict=True):
        np.testing.assert_array_equal(layer.weights[2], twin.weights[2])
        np.testing.assert_array_equal(layer.biases[2], twin.biases[2])
        for member in (0, 1, 3):
            assert not np.array_equal(layer.weights[member], twin.weights[member])
    left_out = parts.folds == 2
    np.testing.assert_array_equal(one.held_out_logits[left_out], other.held_out_logits[left_out])


def test_cross_fit_judges_every_row_by_the_member_that_left_it_out():
    X, labels, _ = logistic_table(1200)

    classifier, parts = trained(X, labels, MEMBERS, how="cross_fit", epochs=2)

    np.testing.assert_array_equal(classifier.calibration_rows, parts.train)
    logits = classifier.mlp.logits(X[parts.train])
    expected = [logits[fold, row] for row, fold in enumerate(parts.folds)]
    np.testing.assert_allclose(classifier.held_out_logits, expected, **rounding(np.float32))
    averaged = as_averaged(logits.astype(float), parts.folds, labels[parts.train])
    np.testing.assert_allclose(classifier.calibration_logits, averaged, **rounding(np.float32))


def test_cross_fit_keeps_the_last_epoch():
    X, labels, _ = logistic_table(1200)

    classifier, _ = trained(X, labels, MEMBERS, how="cross_fit", epochs=5, patience=1)

    assert (classifier.history.best_epoch, len(classifier.history.epochs)) == (5, 5)


def test_loss_of_cross_fitted_members_is_as_large_as_that_of_plain_ones():
    X, labels, _ = logistic_table(1200)
    still = {"epochs": 1, "learning_rate": 0.0, "batch_size": 5000}

    crossed, _ = trained(X, labels, MEMBERS, how="cross_fit", **still)
    plain, _ = trained(X, labels, MEMBERS, how="holdout", **still)

    losses = [classifier.history.epochs[0]["loss"] for classifier in (crossed, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=0.1)


def test_resampled_rows_cannot_be_cross_fitted():
    X, labels, _ = logistic_table(1200)

    with pytest.raises(ConfigurationError, match="cross-fitted"):
        trained(X, labels, MEMBERS, how="cross_fit", resampling="oversample")


def test_class_weights_are_those_of_the_training_rows():
    X, labels, _ = logistic_table(2000)

    classifier, parts = trained(X, labels, epochs=1, class_weight=1.0)

    y = labels[parts.train]
    assert classifier.class_weights[1] == pytest.approx(len(y) / (2 * y.sum()))


def test_held_out_logits_are_the_members_mean_in_chunks_as_in_one(rng):
    mlp = build_mlp(3, MEMBERS, rng)
    X = rng.normal(size=(MOST_ROWS + 100, 3)).astype(np.float32)

    np.testing.assert_allclose(
        held_out_logits(mlp, X, None), mlp.logits(X).mean(axis=0), **rounding(np.float32)
    )
    folds = rng.integers(0, 4, len(X))
    np.testing.assert_allclose(
        held_out_logits(mlp, X, folds),
        mlp.logits(X)[folds, np.arange(len(X))],
        **rounding(np.float32),
    )


def test_figures_of_an_epoch_are_those_of_scikit_learn(rng):
    y = rng.integers(0, 2, 300)
    logits = rng.normal(size=300) + y

    figures = epoch_figures(logits, y)

    predicted = logits >= 0
    assert figures["accuracy"] == pytest.approx((predicted == y).mean())
    assert figures["precision"] == pytest.approx(precision_score(y, predicted))
    assert figures["recall"] == pytest.approx((predicted & (y == 1)).sum() / y.sum())
    assert figures["f1"] == pytest.approx(f1_score(y, predicted))
    assert figures["average_precision"] == pytest.approx(average_precision_score(y, logits))
    assert figures["validation_loss"] == pytest.approx(log_loss(y, sigmoid(logits)))


def test_figures_of_an_epoch_without_a_hit_are_zero():
    figures = epoch_figures(np.full(10, -3.0), np.arange(10) % 2)

    assert (figures["precision"], figures["recall"], figures["f1"]) == (0, 0, 0)


@given(st.data())
def test_average_precision_is_that_of_scikit_learn_ties_included(data):
    n_rows = data.draw(st.integers(1, 30))
    scores = np.array(data.draw(st.lists(st.integers(-3, 3), min_size=n_rows, max_size=n_rows)))
    y = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n_rows, max_size=n_rows)))
    y[data.draw(st.integers(0, n_rows - 1))] = 1

    assert average_precision(scores, y) == pytest.approx(average_precision_score(y, scores))


def test_average_precision_without_a_fraud_is_zero():
    assert average_precision(np.arange(3.0), np.zeros(3)) == 0
