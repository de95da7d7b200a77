"""Dense layers, dropout, batch normalisation and residual blocks: values and laws."""

import numpy as np
import pytest

from model.component import Workspace
from model.dense import Layer
from model.errors import ConfigurationError
from model.layers import BatchNorm, Dropout, Residual, component_from

DTYPES = [np.float32, np.float64]

# Name → a maker of a component from 4 to 4 features.
COMPONENTS = {
    "dense": lambda rng, dtype: Layer(4, 4, "tanh", rng=rng, dtype=dtype),
    "prelu": lambda rng, dtype: Layer(4, 4, "prelu", rng=rng, dtype=dtype),
    "members": lambda rng, dtype: Layer(4, 4, "relu", members=3, rng=rng, dtype=dtype),
    "dropout": lambda rng, dtype: Dropout(0.5, rng=rng, dtype=dtype),
    "batch norm": lambda rng, dtype: BatchNorm(4, dtype=dtype),  # noqa: ARG005
    "residual": lambda rng, dtype: Residual(
        [Layer(4, 4, "relu", rng=rng, dtype=dtype), BatchNorm(4, dtype=dtype)]
    ),
}


@pytest.fixture(params=COMPONENTS)
def make(request):
    """Return a maker of one kind of component."""
    return COMPONENTS[request.param]


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_is_kept_in_both_passes_and_backward(make, dtype, rng):
    component = make(rng, dtype)
    X = rng.normal(size=(5, 4)).astype(dtype)

    output = component.forward(X)

    assert output.dtype == component.apply(X).dtype == dtype
    assert component.backward(np.ones_like(output)).dtype == dtype
    assert component.gradients.dtype == component.statistics.dtype == dtype


def test_input_is_not_changed(make, rng):
    component, X, upstream = make(rng, float), rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    before = X.copy(), upstream.copy()

    output = component.forward(X)
    component.backward(np.broadcast_to(upstream, output.shape))
    component.apply(X)

    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(upstream, before[1])


def test_inference_of_a_batch_is_that_of_its_rows(make, rng):
    component, X = make(rng, float), rng.normal(size=(5, 4))
    component.forward(X)

    one_by_one = [component.apply(X[i : i + 1]) for i in range(5)]

    np.testing.assert_allclose(component.apply(X), np.concatenate(one_by_one, -2), rtol=1e-13)


def test_inference_writes_nothing(make, rng):
    component, X = make(rng, float), rng.normal(size=(5, 4))
    component.forward(X)
    component.backward(np.ones_like(component.forward(X)))
    before = {name: repr(value) for name, value in vars(component).items()}

    component.apply(rng.normal(size=(7, 4)))

    assert {name: repr(value) for name, value in vars(component).items()} == before


def test_an_empty_batch_and_one_row_are_batches(make, rng):
    component = make(rng, float)

    for n_rows in (0, 1):
        assert component.apply(np.zeros((n_rows, 4))).shape[-2:] == (n_rows, 4)
    assert component.forward(np.ones((1, 4))).shape[-2:] == (1, 4)


def test_same_seed_gives_the_same_bits(make, rng):
    X = rng.normal(size=(5, 4))

    first, second = (make(np.random.default_rng(3), float).forward(X) for _ in range(2))

    np.testing.assert_array_equal(first, second)


def test_component_is_rebuilt_from_its_description(make, rng):
    component, X = make(rng, float), rng.normal(size=(5, 4))
    component.forward(X)

    rebuilt = component_from(component.describe(), getattr(component, "members", None), float)
    rebuilt.parameters[:] = component.parameters
    for leaf, original in zip(rebuilt.leaves(), component.leaves(), strict=True):
        leaf.statistics[...] = original.statistics

    np.testing.assert_array_equal(rebuilt.apply(X), component.apply(X))


def test_workspace_gives_the_same_results_in_the_same_buffers(make, rng):
    plain, buffered = (make(np.random.default_rng(3), float) for _ in range(2))
    workspace = Workspace()
    for n_rows in (5, 3, 5):
        X = rng.normal(size=(n_rows, 4))
        expected, found = plain.forward(X), buffered.forward(X, workspace)
        np.testing.assert_array_equal(found, expected)
        upstream = rng.normal(size=expected.shape)
        np.testing.assert_array_equal(buffered.backward(upstream), plain.backward(upstream))
        np.testing.assert_array_equal(buffered.gradients, plain.gradients)


def test_dense_layer_reuses_the_buffers_of_a_workspace_and_only_those(rng):
    layer, workspace, X = Layer(4, 3, "relu", rng=rng), Workspace(), rng.normal(size=(5, 4))

    assert np.shares_memory(layer.forward(X, workspace), layer.forward(X, workspace))
    assert not np.shares_memory(layer.forward(X), layer.forward(X))


def test_single_row_is_a_batch_of_one(rng):
    layer, x = Layer(4, 3, "relu", rng=rng), rng.normal(size=4)

    np.testing.assert_array_equal(layer.forward(x), layer.forward(x[None]))


def test_forward_fills_the_caches(rng):
    layer, X = Layer(4, 3, "relu", rng=rng), rng.normal(size=(5, 4))

    A = layer.forward(X)

    np.testing.assert_array_equal(layer.input_cache, X)
    np.testing.assert_allclose(layer.z_cache, X @ layer.weights + layer.biases)
    np.testing.assert_array_equal(A, np.maximum(layer.z_cache, 0))


def test_assigned_weights_are_copied_into_the_flat_vector():
    layer, values = Layer(2, 2), np.array([[1.0, 2.0], [3.0, 4.0]])
    view = layer.weights

    layer.weights, layer.biases = values, [5.0, 6.0]
    values[:] = 0

    assert layer.parameters.tolist() == [1, 2, 3, 4, 5, 6]
    assert layer.weights is view
    assert np.shares_memory(layer.weights, layer.parameters)


def test_update_steps_down_the_gradient(rng):
    layer, X = Layer(2, 1, rng=rng), np.array([[1.0, 2.0]])
    before = layer.weights.copy()

    layer.forward(X)
    layer.backward(np.array([[1.0]]))
    layer.update(0.1)

    np.testing.assert_allclose(layer.dW, [[1.0], [2.0]])
    np.testing.assert_allclose(layer.db, [1.0])
    np.testing.assert_allclose(layer.weights, before - 0.1 * layer.dW)


def test_dropout_keeps_the_mean_and_drops_the_share_it_says(rng):
    output = Dropout(0.3, rng=rng).forward(np.ones((400, 500)))

    assert (output == 0).mean() == pytest.approx(0.3, abs=0.005)
    assert set(np.unique(output).tolist()) == {0.0, 1 / 0.7}
    assert output.mean() == pytest.approx(1, abs=0.01)


def test_dropout_changes_nothing_at_inference_nor_with_probability_zero(rng):
    X = rng.normal(size=(5, 4))

    assert Dropout(0.9, rng=rng).apply(X) is X
    np.testing.assert_array_equal(Dropout(0.0, rng=rng).forward(X), X)


def test_dropout_draws_a_fresh_mask_at_each_step(rng):
    dropout, X = Dropout(0.5, rng=rng), np.ones((10, 10))

    assert (dropout.forward(X) != dropout.forward(X)).any()


def test_batch_norm_normalises_each_feature_over_the_batch(rng):
    X = rng.normal(5, 3, size=(200, 4))

    output = BatchNorm(4, epsilon=0).forward(X)

    np.testing.assert_allclose(output.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(output.var(axis=0), 1)


def test_batch_norm_infers_with_running_means_and_unbiased_variances(rng):
    norm, batches = BatchNorm(4, momentum=0.8), rng.normal(5, 3, size=(3, 6, 4))
    norm.parameters += rng.normal(size=norm.size)
    mean, variance = np.zeros(4), np.ones(4)
    for batch in batches:
        norm.forward(batch)
        mean = 0.8 * mean + 0.2 * batch.mean(axis=0)
        variance = 0.8 * variance + 0.2 * batch.var(axis=0, ddof=1)
    scale, shift = norm.parameters.reshape(2, 4)

    expected = (batches[0] - mean) / np.sqrt(variance + norm.epsilon) * scale + shift

    np.testing.assert_allclose(norm.apply(batches[0]), expected)


def test_residual_block_adds_to_its_input(rng):
    X, inner = rng.normal(size=(5, 4)), Layer(4, 4, "tanh", rng=rng)

    np.testing.assert_allclose(Residual([inner]).apply(X), X + inner.apply(X))


def test_weight_decay_spares_all_but_the_weights(rng):
    block = Residual([Layer(2, 2, "prelu", rng=rng), BatchNorm(2), Layer(2, 2, rng=rng)])

    assert block.decay_mask().tolist() == [1] * 4 + [0] * 8 + [1] * 4 + [0] * 2


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Layer(0, 1), "at least one input, output and member, got n_in=0"),
        (lambda: Layer(1, 1, members=0), "members=0"),
        (lambda: Layer(1, 1, "swish"), "unknown activation 'swish'"),
        (lambda: Dropout(1.0), r"drop_probability must lie in \[0, 1\), got 1.0"),
        (lambda: Dropout(-0.1), "got -0.1"),
        (lambda: Residual([]), "at least one component"),
        (lambda: component_from({"kind": "convolution"}, None, float), "unknown kind of layer"),
        (lambda: component_from({"kind": "dense", "n_in": 2}, None, float), "cannot be rebuilt"),
        (lambda: component_from({"kind": "dropout", "p": 0.5}, None, float), "cannot be rebuilt"),
        (lambda: component_from({"kind": "residual"}, None, float), "cannot be rebuilt"),
        (lambda: component_from({}, None, float), "cannot be rebuilt"),
        (lambda: component_from("dense", None, float), "cannot be rebuilt"),
    ],
)
def test_arguments_that_cannot_work_are_refused(build, message):
    with pytest.raises(ConfigurationError, match=message):
        build()
