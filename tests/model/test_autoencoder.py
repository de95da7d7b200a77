"""The autoencoder: reconstruction, whitening, threshold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model import Autoencoder
from model.errors import ConfigurationError, NotFittedError

N_FEATURES = 5


@pytest.fixture
def legitimate(rng):
    """Return rows that lie near a plane, in five dimensions of different size."""
    hidden = rng.normal(size=(300, 2))
    noise = rng.normal(size=(300, N_FEATURES)) * [0.1, 0.2, 0.3, 0.5, 1.0]
    return hidden @ rng.normal(size=(2, N_FEATURES)) + noise


@pytest.fixture
def autoencoder(legitimate, rng):
    """Return a trained autoencoder, not whitened."""
    network = Autoencoder(N_FEATURES, 8, 2, rng=rng)
    network.fit(legitimate, epochs=20, batch_size=32, learning_rate=0.05, rng=rng)
    return network


def mean_squares(residual):
    """Return the plain mean squared error of each row."""
    return (residual**2).mean(axis=1)


def test_layers_are_mirrored_around_the_bottleneck(rng):
    network = Autoencoder(10, (8, 6), 3, rng=rng)

    assert [(layer.n_in, layer.n_out) for layer in network.layers] == [
        (10, 8),
        (8, 6),
        (6, 3),
        (3, 6),
        (6, 8),
        (8, 10),
    ]
    assert [layer.activation.name for layer in network.layers] == (
        ["relu", "relu", "identity", "relu", "relu", "identity"]
    )


@pytest.mark.parametrize("members", [None, 3])
def test_fit_lowers_the_loss_and_reports_the_mean_over_members(members, legitimate, rng):
    network, seen = Autoencoder(N_FEATURES, 8, 2, members=members, rng=rng), []

    history = network.fit(
        legitimate,
        epochs=10,
        rng=rng,
        learning_rate=0.05,
        on_epoch=lambda epoch, figures: seen.append((epoch, figures["loss"])),
    )

    assert history["loss"][-1] < 0.7 * history["loss"][0]
    assert seen == list(enumerate(history["loss"], start=1))
    assert history["loss"][0] < mean_squares(legitimate).mean() * 1.5


def test_linear_autoencoder_reaches_the_principal_components(legitimate, rng):
    """Baldi and Hornik's result, as an independent judge of the training."""
    X = legitimate - legitimate.mean(axis=0)
    network = Autoencoder(N_FEATURES, (), 2, rng=rng)

    network.fit(X, epochs=400, batch_size=300, learning_rate=0.2, rng=rng)

    best = (np.linalg.svd(X, compute_uv=False)[2:] ** 2).sum() / X.size
    assert network.reconstruction_error(X).mean() == pytest.approx(best, rel=0.01)


def test_error_is_the_plain_mean_square_before_whitening(autoencoder, legitimate):
    residual = legitimate - autoencoder.reconstruct(legitimate)

    np.testing.assert_allclose(autoencoder.reconstruction_error(legitimate), mean_squares(residual))


@pytest.mark.parametrize("shrinkage", [0.01, 0.05, 0.5, 1.0])
def test_whitened_error_is_the_mahalanobis_distance_over_the_features(
    shrinkage, autoencoder, legitimate
):
    residual = legitimate - autoencoder.reconstruct(legitimate)
    covariance = np.cov(residual.T, bias=True)
    sphere = np.trace(covariance) / N_FEATURES * np.eye(N_FEATURES)
    shrunk = (1 - shrinkage) * covariance + shrinkage * sphere
    distances = [r @ np.linalg.solve(shrunk, r) / N_FEATURES for r in residual]

    autoencoder.fit_whitening(legitimate, shrinkage)

    np.testing.assert_allclose(autoencoder.reconstruction_error(legitimate), distances)


def test_whitening_is_the_symmetric_inverse_root(autoencoder, legitimate):
    residual = legitimate - autoencoder.reconstruct(legitimate)
    autoencoder.fit_whitening(legitimate, shrinkage=1e-9)

    whitening = autoencoder.whitening

    np.testing.assert_allclose(whitening, whitening.T, atol=1e-12)
    np.testing.assert_allclose(np.cov((residual @ whitening).T, bias=True), np.eye(5), atol=1e-6)


def test_shares_are_never_negative_and_add_up_to_the_error(autoencoder, legitimate):
    autoencoder.fit_whitening(legitimate)

    shares = autoencoder.residual_shares(legitimate)

    assert shares.shape == legitimate.shape
    assert (shares >= 0).all()
    np.testing.assert_array_equal(shares.sum(axis=1), autoencoder.reconstruction_error(legitimate))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda X: X.__setitem__(slice(1, None), X[0]),
        lambda X: X.__setitem__((slice(None), 0), 3.0),
        lambda X: X.__setitem__((slice(None), 1), X[:, 0]),
        lambda X: X.__setitem__(slice(None), 0.0),
    ],
    ids=["one row, repeated", "constant column", "duplicated column", "constant table"],
)
def test_degenerate_columns_give_finite_errors(spoil, legitimate, rng):
    spoil(legitimate)
    network = Autoencoder(N_FEATURES, 8, 2, rng=rng)
    network.fit(legitimate, epochs=2, rng=rng)

    network.fit_whitening(legitimate)

    assert np.isfinite(network.whitening).all()
    assert np.isfinite(network.reconstruction_error(legitimate)).all()


def test_one_row_can_be_whitened(autoencoder, legitimate):
    autoencoder.fit_whitening(legitimate[:1])

    assert np.isfinite(autoencoder.reconstruction_error(legitimate)).all()


def test_odd_rows_have_larger_errors(autoencoder, legitimate, rng):
    autoencoder.fit_whitening(legitimate)

    odd = autoencoder.reconstruction_error(rng.normal(size=(50, N_FEATURES)) * 5)

    assert np.median(odd) > np.quantile(autoencoder.reconstruction_error(legitimate), 0.95)


def test_threshold_is_a_quantile_of_legitimate_errors(autoencoder, legitimate):
    errors = autoencoder.reconstruction_error(legitimate)

    threshold = autoencoder.fit_threshold(legitimate, 0.9)

    assert threshold == autoencoder.threshold == np.quantile(errors, 0.9)
    assert autoencoder.predict(legitimate).tolist() == (errors > threshold).astype(int).tolist()
    assert autoencoder.predict(legitimate).sum() == 30
    autoencoder.fit_threshold(legitimate, 1.0)
    assert autoencoder.predict(legitimate).sum() == 0


def test_members_reconstruct_by_their_mean(legitimate, rng):
    ensemble = Autoencoder(N_FEATURES, 8, 2, members=3, rng=rng)

    np.testing.assert_allclose(
        ensemble.reconstruct(legitimate), ensemble.apply(legitimate).mean(axis=0)
    )


@pytest.mark.parametrize("is_whitened", [False, True])
def test_error_of_an_ensemble_is_the_mean_of_its_members_errors(is_whitened, legitimate, rng):
    ensemble = Autoencoder(N_FEATURES, 8, 2, members=3, rng=rng)
    if is_whitened:
        ensemble.fit_whitening(legitimate)

    errors = ensemble.reconstruction_error(legitimate)

    outputs = ensemble.apply(legitimate)
    roots = ensemble.whitening if is_whitened else [np.eye(N_FEATURES)] * 3
    alone = [
        mean_squares((legitimate - output) @ root)
        for output, root in zip(outputs, roots, strict=True)
    ]
    np.testing.assert_allclose(errors, np.mean(alone, axis=0))


def test_whitening_of_the_mean_reconstruction_still_serves(legitimate, rng):
    """What artifacts hold that were written before each member had its own."""
    ensemble = Autoencoder(N_FEATURES, 8, 2, members=3, rng=rng)
    ensemble.whitening = np.diag(np.arange(1.0, 6.0))

    errors = ensemble.reconstruction_error(legitimate)

    residual = legitimate - ensemble.reconstruct(legitimate)
    np.testing.assert_allclose(errors, mean_squares(residual * np.arange(1.0, 6.0)))


@given(
    rows=arrays(np.float64, (4, N_FEATURES), elements=st.floats(-1e3, 1e3)),
    members=st.sampled_from([None, 3]),
    seed=st.integers(0, 99),
)
def test_shares_add_up_for_any_rows(rows, members, seed):
    network = Autoencoder(
        N_FEATURES, 8, 2, members=members, rng=np.random.default_rng(seed), dtype=np.float32
    )
    network.fit_whitening(rows)

    shares = network.residual_shares(rows)

    assert shares.shape == rows.shape
    assert (shares >= 0).all()
    np.testing.assert_array_equal(shares.sum(axis=1), network.reconstruction_error(rows))


def test_denoising_drops_inputs_in_training_only(legitimate, rng):
    network = Autoencoder(N_FEATURES, 8, 2, drop_probability=0.5, rng=rng)

    assert (network.forward(legitimate) != network.forward(legitimate)).any()
    np.testing.assert_array_equal(network.apply(legitimate), network.apply(legitimate))


def test_another_precision_keeps_whitening_and_threshold(autoencoder, legitimate):
    autoencoder.fit_whitening(legitimate)
    autoencoder.fit_threshold(legitimate)

    single = autoencoder.astype(np.float32)

    assert single.threshold == autoencoder.threshold
    np.testing.assert_allclose(
        single.reconstruction_error(legitimate),
        autoencoder.reconstruction_error(legitimate),
        rtol=1e-4,
    )


def test_frozen_whitening_cannot_be_changed(autoencoder, legitimate):
    autoencoder.fit_whitening(legitimate)
    autoencoder.freeze()

    with pytest.raises(ValueError, match="read-only"):
        autoencoder.whitening[0, 0] = 0


def test_errors_are_float64_whatever_the_network_is(legitimate, rng):
    network = Autoencoder(N_FEATURES, 8, 2, rng=rng, dtype=np.float32)

    assert network.reconstruct(legitimate).dtype == np.float32
    assert network.reconstruction_error(legitimate).dtype == np.float64


def test_prediction_needs_a_threshold(autoencoder, legitimate):
    with pytest.raises(NotFittedError, match="the anomaly threshold is not fitted yet"):
        autoencoder.predict(legitimate)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: a.reconstruct(np.ones((2, 3))), r"X must be \(n, 5\), got \(2, 3\)"),
        (lambda a: a.fit(np.ones((2, 3))), r"X must be \(n, 5\)"),
        (lambda a: a.fit_whitening(np.empty((0, 5))), "got 0 rows"),
        (lambda a: a.fit_whitening(np.ones((2, 5)), shrinkage=0), "shrinkage=0"),
        (lambda a: a.fit_threshold(np.ones((2, 5)), 1.5), r"quantile must lie in \[0, 1\]"),
        (lambda a: Autoencoder(5, 0, 2), "n_out=0"),  # noqa: ARG005
    ],
)
def test_arguments_that_cannot_work_are_refused(call, message, autoencoder):
    with pytest.raises(ConfigurationError, match=message):
        call(autoencoder)
