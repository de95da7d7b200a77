"""What holds for whole networks: one flat vector, members, snapshots, descriptions, threads."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from model import MLP, Autoencoder
from model.dense import Layer
from model.errors import ConfigurationError
from model.layers import Dropout
from model.network import Network, minibatches
from model.optimizers import Adam

NETWORKS = {
    "classifier": lambda rng, **options: MLP([4, 6, 5, 1], rng=rng, **options),
    "prelu": lambda rng, **options: MLP(
        [4, 6, 5, 1], ["prelu", "prelu", "sigmoid"], rng=rng, **options
    ),
    "everything": lambda rng, **options: MLP(
        [4, 5, 5, 1], rng=rng, batch_norm=True, drop_probability=0.2, residual=True, **options
    ),
    "autoencoder": lambda rng, **options: Autoencoder(4, 6, 2, rng=rng, **options),
    "denoising": lambda rng, **options: Autoencoder(
        4, 6, 2, rng=rng, drop_probability=0.2, **options
    ),
}


@pytest.fixture(params=NETWORKS)
def make(request):
    """Return a maker of one kind of network."""
    return NETWORKS[request.param]


def targets(network, X, rng):
    """Return what the network is to learn of these rows."""
    return X if isinstance(network, Autoencoder) else rng.integers(0, 2, len(X))


def trained(network, rng, n_steps=5):
    """Return the network after a few steps, so that no value is where it started."""
    optimizer = Adam(0.05)
    for _ in range(n_steps):
        X = rng.normal(size=(16, 4))
        network.loss_and_gradient(X, targets(network, X, rng))
        optimizer.step(network.parameters, network.gradients)
    return network


def test_components_hold_views_of_the_flat_vectors(make, rng):
    network = make(rng)

    for layer in network.layers:
        assert np.shares_memory(layer.weights, network.parameters)
        assert np.shares_memory(layer.biases, network.parameters)
        assert np.shares_memory(layer.dW, network.gradients)
        assert np.shares_memory(layer.db, network.gradients)
    network.parameters[:] = 0
    assert not any(layer.weights.any() for layer in network.layers)


def test_assigning_weights_writes_through_to_the_flat_vector(rng):
    network = MLP([2, 1], rng=rng)

    network.layers[0].weights = [[3.0], [4.0]]
    network.layers[0].biases = 5.0

    assert network.parameters.tolist() == [3.0, 4.0, 5.0]


def test_training_moves_every_weight_and_lowers_the_loss(make, rng):
    network, X = make(rng), rng.normal(size=(32, 4))
    y = X if isinstance(network, Autoencoder) else (X[:, 0] > 0).astype(int)
    before, optimizer = network.parameters.copy(), Adam(0.02)

    losses = []
    for _ in range(100):
        losses.append(network.loss_and_gradient(X, y))
        optimizer.step(network.parameters, network.gradients)

    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    assert (network.parameters != before).mean() > 0.9


def test_members_are_so_many_separate_networks(make, rng):
    """Every member has the values, outputs and gradients of a network of its own."""
    ensemble = trained(make(rng, members=3), rng)
    alone = [make(np.random.default_rng(0)) for _ in range(3)]
    for number, network in enumerate(alone):
        give_values_of_member(network, ensemble, number)
    X = rng.normal(size=(8, 4))

    outputs = ensemble.apply(X)
    for number, network in enumerate(alone):
        np.testing.assert_allclose(outputs[number], network.apply(X), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("own_rows", [False, True])
@pytest.mark.parametrize("name", ["classifier", "prelu", "autoencoder"])
def test_gradients_of_members_are_those_of_separate_networks(name, own_rows, rng):
    make = NETWORKS[name]
    ensemble = make(rng, members=3)
    X = rng.normal(size=(3, 8, 4) if own_rows else (8, 4))
    y = X if name == "autoencoder" else rng.integers(0, 2, X.shape[:-1])

    total = ensemble.loss_and_gradient(X, y)

    losses = []
    for number in range(3):
        network = make(rng)
        give_values_of_member(network, ensemble, number)
        losses.append(
            network.loss_and_gradient(X[number] if own_rows else X, y[number] if own_rows else y)
        )
        for shared, layer in zip(ensemble.layers, network.layers, strict=True):
            np.testing.assert_allclose(shared.dW[number], layer.dW, rtol=1e-10, atol=1e-14)
            np.testing.assert_allclose(shared.db[number], layer.db, rtol=1e-10, atol=1e-14)
    assert total == pytest.approx(sum(losses))


def give_values_of_member(network, ensemble, number):
    """Copy what one member has learned and measured into a network without members."""
    leaves = [[leaf for c in net.components for leaf in c.leaves()] for net in (network, ensemble)]
    for alone, shared in zip(*leaves, strict=True):
        if shared.statistics.size:
            alone.statistics[...] = shared.statistics[:, number]
        if shared.size:
            alone.parameters[:] = shared.parameters.reshape(3, -1)[number]


def test_snapshot_brings_back_every_value(make, rng):
    network, X = trained(make(rng), rng), rng.normal(size=(8, 4))
    snapshot, expected = network.snapshot(), network.apply(X)

    trained(network, rng)
    assert (network.apply(X) != expected).any()
    network.restore(snapshot)

    np.testing.assert_array_equal(network.apply(X), expected)


def test_snapshot_of_another_shape_is_refused(rng):
    with pytest.raises(ConfigurationError, match="do not fit a network of"):
        MLP([4, 3, 1], rng=rng).restore(MLP([4, 2, 1], rng=rng).snapshot())


@pytest.mark.parametrize("members", [None, 3])
def test_network_is_rebuilt_from_its_description(make, members, rng):
    network, X = trained(make(rng, members=members), rng), rng.normal(size=(8, 4))

    description = json.loads(json.dumps(network.describe()))
    rebuilt = type(network).rebuild(description, np.float64)
    rebuilt.restore(network.snapshot())

    assert rebuilt.describe() == network.describe()
    np.testing.assert_array_equal(rebuilt.apply(X), network.apply(X))


@pytest.mark.parametrize(
    "description",
    [
        {},
        {"members": None},
        {"members": None, "components": []},
        {"members": None, "components": 5},
        {"members": None, "components": ["dense"]},
        {"members": None, "components": [{"kind": "dropout", "drop_probability": 0.1}]},
        {"members": "two", "components": [{"kind": "dense", "n_in": 2, "n_out": 1}]},
    ],
)
def test_description_that_is_none_is_refused(description):
    with pytest.raises(ConfigurationError):
        MLP.rebuild(description)


def test_another_precision_gives_nearly_the_same_outputs(make, rng):
    network, X = trained(make(rng), rng), rng.normal(size=(8, 4))

    single = network.astype(np.float32)

    assert single.apply(X).dtype == single.parameters.dtype == np.float32
    np.testing.assert_allclose(single.apply(X), network.apply(X), atol=1e-5)


def test_same_seed_and_steps_give_the_same_bits(make):
    first, second = (
        trained(make(np.random.default_rng(7), dtype=np.float32), np.random.default_rng(8))
        for _ in range(2)
    )

    np.testing.assert_array_equal(first.parameters, second.parameters)


def test_inference_of_a_batch_is_that_of_its_rows(make, rng):
    network, X = trained(make(rng), rng), rng.normal(size=(8, 4))

    one_by_one = np.concatenate([network.apply(X[i : i + 1]) for i in range(8)])

    np.testing.assert_allclose(network.apply(X), one_by_one, rtol=1e-12, atol=1e-14)


def test_input_is_not_changed(make, rng):
    network, X = make(rng), rng.normal(size=(8, 4))
    before = X.copy()

    network.loss_and_gradient(X, targets(network, X, rng))
    network.apply(X)

    np.testing.assert_array_equal(X, before)


def test_eight_threads_share_one_network(make, rng):
    """Inference keeps nothing: each thread gets what it would get alone."""
    network = trained(make(rng), rng)
    batches = rng.normal(size=(8, 33, 4))
    expected = [network.apply(X) for X in batches]

    def repeatedly(number):
        results = [network.apply(batches[number]) for _ in range(50)]
        return all(np.array_equal(result, expected[number]) for result in results)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(repeatedly, range(8)))


def test_frozen_network_cannot_be_changed(make, rng):
    network, X = trained(make(rng), rng), rng.normal(size=(8, 4))
    expected = network.apply(X)

    network.freeze()

    with pytest.raises(ValueError, match="read-only"):
        network.parameters[0] = 0
    for layer in network.layers:
        with pytest.raises(ValueError, match="read-only"):
            layer.weights = 0
        with pytest.raises(ValueError, match="read-only"):
            layer.biases = 0
    np.testing.assert_array_equal(network.apply(X), expected)


def test_decay_mask_marks_the_weights_in_the_layout_of_the_parameters(make, rng):
    network = make(rng)

    for layer in network.layers:
        layer.weights = 7
    marked = network.decay_mask() == 1

    assert (network.parameters[marked] == 7).all()
    assert marked.sum() == sum(layer.weights.size for layer in network.layers)


def test_one_weight_for_all_rows_scales_loss_and_gradient(make, rng):
    network, X = make(np.random.default_rng(1)), rng.normal(size=(8, 4))
    again, y = make(np.random.default_rng(1)), targets(network, X, rng)

    assert again.loss_and_gradient(X, y, 2.5) == pytest.approx(
        2.5 * network.loss_and_gradient(X, y)
    )
    np.testing.assert_allclose(again.gradients, 2.5 * network.gradients)


def test_network_ends_in_a_dense_layer(rng):
    with pytest.raises(ConfigurationError, match="ends in a dense layer"):
        Network([Layer(2, 2, rng=rng), Dropout(0.5, rng=rng)])


@pytest.mark.parametrize(("batch_size", "n_batches"), [(1, 10), (3, 4), (10, 1), (64, 1)])
def test_minibatches_hold_every_row_once_in_a_fresh_order(batch_size, n_batches, rng):
    first, second = (list(minibatches(10, batch_size, rng)) for _ in range(2))

    assert len(first) == n_batches
    assert sorted(np.concatenate(first).tolist()) == list(range(10))
    assert np.concatenate(first).tolist() != np.concatenate(second).tolist()


def test_minibatches_of_nothing_are_refused(rng):
    with pytest.raises(ConfigurationError, match="batch_size must be at least 1, got 0"):
        next(minibatches(10, 0, rng))


@pytest.mark.parametrize("members", [None, 3])
def test_snapshot_has_all_weights_of_a_layer_and_then_all_biases_whatever_the_members(members, rng):
    network = MLP([4, 5, 1], members=members, rng=rng)
    network.parameters[:] = rng.normal(size=network.n_parameters)

    values, _ = network.snapshot()

    arrays = [array for layer in network.layers for array in (layer.weights, layer.biases)]
    np.testing.assert_array_equal(values, np.concatenate([array.ravel() for array in arrays]))


def test_a_single_row_may_be_a_vector(rng):
    mlp = MLP([3, 2, 1], rng=rng)
    row = rng.normal(size=3)

    np.testing.assert_allclose(mlp.forward(row), mlp.forward(row[None]))
    assert np.isfinite(mlp.train_step(row, [1], 0.1))


def test_network_that_serves_keeps_no_buffers_of_the_training(rng):
    mlp = MLP([3, 2, 1], rng=rng)
    mlp.forward(rng.normal(size=(500, 3)))

    mlp.freeze()

    assert all(layer.newest_pass is None for layer in mlp.layers)
    assert "_newest_pass" not in vars(mlp)
