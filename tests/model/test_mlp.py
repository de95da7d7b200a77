"""The classifier's textbook surface: fit, predict, evaluate."""

import numpy as np
import pytest
from sklearn import metrics

from model import MLP
from model.errors import ConfigurationError
from model.layers import BatchNorm, Dropout, Layer, Residual


@pytest.fixture
def blobs(rng):
    """Return two overlapping clouds of points and their labels."""
    y = rng.integers(0, 2, 200)
    return rng.normal(size=(200, 3)) + 1.5 * y[:, None], y


@pytest.fixture
def network(rng):
    """Return a small classifier that has learned nothing yet."""
    return MLP([3, 6, 1], rng=rng)


@pytest.mark.parametrize(("batch_size", "epochs"), [(1, 5), (64, 30), (200, 200)])
@pytest.mark.parametrize("members", [None, 3])
def test_fit_learns_with_every_batch_size(batch_size, epochs, members, blobs, rng):
    network = MLP([3, 6, 1], members=members, rng=rng)

    history = network.fit(*blobs, epochs, batch_size, learning_rate=0.05, rng=rng)

    assert history["loss"][-1] < history["loss"][0]
    assert network.evaluate(*blobs)["accuracy"] > 0.85


def test_twenty_rows_are_learned_by_heart(rng):
    X, y = rng.normal(size=(20, 3)), rng.integers(0, 2, 20)
    network = MLP([3, 32, 32, 1], rng=rng)

    history = network.fit(X, y, epochs=2000, batch_size=20, learning_rate=0.3, rng=rng)

    assert history["loss"][-1] < 0.01
    assert network.predict(X).tolist() == y.tolist()


def test_full_batch_fit_is_so_many_train_steps(blobs, rng):
    fitted, stepped = (MLP([3, 6, 1], rng=np.random.default_rng(4)) for _ in range(2))

    history = fitted.fit(*blobs, epochs=3, batch_size=200, learning_rate=0.1, rng=rng)
    losses = [stepped.train_step(*blobs, 0.1) for _ in range(3)]

    assert history["loss"] == pytest.approx(losses)
    np.testing.assert_allclose(fitted.parameters, stepped.parameters, rtol=1e-10)


def test_history_has_the_figures_of_every_epoch(network, blobs, rng):
    seen = []

    history = network.fit(
        *blobs, epochs=4, rng=rng, on_epoch=lambda epoch, figures: seen.append((epoch, figures))
    )

    assert list(history) == ["loss", "accuracy", "precision", "recall", "f1"]
    assert [epoch for epoch, _ in seen] == [1, 2, 3, 4]
    assert [figures["f1"] for _, figures in seen] == history["f1"]
    assert history["accuracy"][-1] == network.evaluate(*blobs)["accuracy"]


def test_history_is_of_the_validation_rows_where_there_are_any(network, blobs, rng):
    X, y = blobs

    history = network.fit(X[:150], y[:150], epochs=2, X_val=X[150:], y_val=y[150:], rng=rng)

    assert list(history) == ["loss", "val_accuracy", "val_precision", "val_recall", "val_f1"]
    assert history["val_f1"][-1] == network.evaluate(X[150:], y[150:])["f1"]


def test_loss_of_members_is_reported_as_their_mean(blobs, rng):
    ensemble = MLP([3, 6, 1], members=4, rng=rng)
    rows = {"epochs": 1, "batch_size": 200, "learning_rate": 0.0, "rng": rng}

    reported = ensemble.fit(*blobs, **rows)["loss"][0]

    assert reported == pytest.approx(ensemble.loss_and_gradient(*blobs) / 4)


def test_class_weights_raise_recall(blobs, rng):
    X, y = blobs
    X, y = np.concatenate([X[y == 0], X[y == 1][:8]]), np.repeat([0, 1], [(y == 0).sum(), 8])
    plain, weighted = (MLP([3, 6, 1], rng=np.random.default_rng(4)) for _ in range(2))

    plain.fit(X, y, epochs=40, learning_rate=0.1, rng=rng)
    weighted.fit(X, y, epochs=40, learning_rate=0.1, class_weights={0: 0.5, 1: 10}, rng=rng)

    assert weighted.evaluate(X, y)["recall"] > plain.evaluate(X, y)["recall"]


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_evaluation_agrees_with_scikit_learn(threshold, network, blobs, rng):
    X, y = blobs
    network.fit(X, y, epochs=5, rng=rng)

    found = network.evaluate(X, y, threshold)

    predicted = network.predict(X, threshold)
    for name in ("accuracy", "precision", "recall", "f1"):
        score = getattr(metrics, f"{name}_score")
        arguments = {} if name == "accuracy" else {"zero_division": 0.0}
        assert found[name] == pytest.approx(score(y, predicted, **arguments))
    assert found["confusion_matrix"].tolist() == metrics.confusion_matrix(y, predicted).tolist()


def test_evaluation_of_one_class_and_of_no_rows_is_zero_where_undefined(network):
    nothing = network.evaluate(np.empty((0, 3)), [])
    no_fraud = network.evaluate(np.zeros((4, 3)), [0] * 4, threshold=1.1)

    assert nothing["confusion_matrix"].tolist() == [[0, 0], [0, 0]]
    assert no_fraud["confusion_matrix"].tolist() == [[4, 0], [0, 0]]
    assert no_fraud["accuracy"] == 1
    for figures in (nothing, no_fraud):
        assert figures["precision"] == figures["recall"] == figures["f1"] == 0


def test_a_row_at_the_threshold_is_called_fraud(network):
    X = np.ones((1, 3))
    probability = float(network.predict_proba(X)[0])

    assert network.predict(X, threshold=probability).tolist() == [1]
    assert network.predict(X, threshold=np.nextafter(probability, 1)).tolist() == [0]


def test_probability_of_members_is_that_of_their_mean_logit(rng):
    ensemble, X = MLP([3, 6, 1], members=4, rng=rng), rng.normal(size=(5, 3))

    logits = ensemble.logits(X)

    assert logits.shape == (4, 5)
    np.testing.assert_allclose(ensemble.predict_proba(X), 1 / (1 + np.exp(-logits.mean(axis=0))))


def test_forward_without_dropout_equals_the_probability(network, rng):
    X = rng.normal(size=(5, 3))

    np.testing.assert_allclose(network.forward(X)[:, 0], network.predict_proba(X))
    np.testing.assert_allclose(network.apply(X)[:, 0], network.predict_proba(X))


def test_single_row_and_lists_are_accepted(network, rng):
    row = rng.normal(size=3)

    assert network.predict_proba(row).shape == (1,)
    assert network.predict_proba(row.tolist()) == network.predict_proba([row.tolist()])
    assert network.predict(row).dtype == np.int64


def test_labels_may_stand_in_a_column(network, blobs):
    X, y = blobs
    as_column = MLP([3, 6, 1], rng=np.random.default_rng(0))

    assert network.train_step(X, y, 0.1) == as_column.train_step(X, y[:, None], 0.1)
    assert network.evaluate(X, y[:, None])["f1"] == network.evaluate(X, y)["f1"]


def test_same_generator_gives_the_same_network(blobs):
    def run():
        rng = np.random.default_rng(3)
        network = MLP([3, 6, 1], rng=rng, drop_probability=0.2, dtype=np.float32)
        network.fit(*blobs, epochs=2, rng=rng)
        return network.parameters

    np.testing.assert_array_equal(run(), run())


def test_hidden_layers_are_stacked_as_asked_for(rng):
    network = MLP([3, 4, 4, 1], batch_norm=True, drop_probability=0.1, residual=True, rng=rng)

    first, norm, dropout, block, output = network.components
    kinds = [type(part) for part in (first, norm, dropout, block, output)]
    assert kinds == [Layer, BatchNorm, Dropout, Residual, Layer]
    assert [type(part) for part in block.components] == [Layer, BatchNorm, Dropout]
    assert [layer.activation.name for layer in network.layers] == ["relu", "relu", "sigmoid"]


def test_first_layer_is_never_residual_because_serving_folds_the_scaler_into_it(rng):
    network = MLP([3, 3, 3, 1], residual=True, rng=rng)

    assert [type(part) for part in network.components] == [Layer, Residual, Layer]


def test_hidden_biases_start_where_they_are_told(rng):
    network = MLP([3, 4, 1], initial_bias=0.01, rng=rng)

    assert network.layers[0].biases.tolist() == [0.01] * 4
    assert network.layers[1].biases.tolist() == [0.0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: MLP([3]), r"got \[3\]"),
        (lambda: MLP([3, 2]), "one output unit"),
        (lambda: MLP([3, 4, 1], ["relu"]), "2 layers need as many activations"),
        (lambda: MLP([3, 4, 1], ["relu", "relu"]), "the last of them 'sigmoid'"),
        (lambda: MLP([3, 4, 1], ["swish", "sigmoid"]), "unknown activation"),
        (lambda: MLP([0, 1]), "n_in=0"),
        (lambda: MLP([3, 4, 1], drop_probability=1.5), "drop_probability must lie"),
        (lambda: MLP([3, 1]).fit(np.ones((4, 2)), [0] * 4), r"X must be \(n, 3\)"),
        (lambda: MLP([3, 1]).fit(np.ones((4, 3)), [0] * 3), r"got \(4, 3\) and \(3,\)"),
        (lambda: MLP([3, 1]).fit(np.ones((2, 3)), [0, 2]), "labels must be 0 or 1"),
        (lambda: MLP([3, 1]).fit(np.ones((2, 3)), [0, float("nan")]), "labels must be 0 or 1"),
        (lambda: MLP([3, 1]).fit(np.ones((2, 3)), [0, 1], batch_size=0), "batch_size"),
        (lambda: MLP([3, 1]).fit(np.ones((2, 3)), [0, 1], learning_rate=-1), "learning_rate"),
        (
            lambda: MLP([3, 1]).fit(np.ones((2, 3)), [0, 1], class_weights={2: 1.0}),
            "classes 0 and 1",
        ),
    ],
)
def test_arguments_that_cannot_work_are_refused(build, message):
    with pytest.raises(ConfigurationError, match=message):
        build()
