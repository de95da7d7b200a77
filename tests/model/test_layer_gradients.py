"""Every component's gradients, of its parameters and of its input, by central differences."""

import numpy as np
import pytest

from model.activations import ACTIVATIONS
from model.dense import Layer
from model.layers import BatchNorm, Dropout, Residual
from tests.gradient_check import assert_away_from_kinks, assert_gradient, numerical_gradient

N_ROWS, N_FEATURES = 5, 4


def dense(activation, n_out=3):
    """Return a maker of dense layers, the slope of PReLU being moved from where it starts."""
    return lambda members, rng: Layer(N_FEATURES, n_out, activation, members=members, rng=rng)


def residual(members, rng):
    """Return a block with everything in it."""
    return Residual(
        [
            Layer(N_FEATURES, 6, "tanh", members=members, rng=rng),
            BatchNorm(6, members=members),
            Dropout(0.3, rng=rng),
            Layer(6, N_FEATURES, "prelu", members=members, rng=rng),
        ]
    )


COMPONENTS = {
    **{f"dense {name}": dense(name) for name in ACTIVATIONS},
    "dropout": lambda members, rng: Dropout(0.4, rng=rng),  # noqa: ARG005
    "batch norm": lambda members, rng: BatchNorm(N_FEATURES, members=members),  # noqa: ARG005
    "residual": residual,
    "residual in residual": lambda members, rng: Residual(
        [residual(members, rng), Layer(N_FEATURES, N_FEATURES, "sigmoid", members=members, rng=rng)]
    ),
    "residual that starts with dropout": lambda members, rng: Residual(
        [Dropout(0.4, rng=rng), Layer(N_FEATURES, N_FEATURES, "tanh", members=members, rng=rng)]
    ),
}
# Members, and the shape of the input.
INPUTS = {
    "one network": (None, (N_ROWS, N_FEATURES)),
    "members that share the rows": (3, (N_ROWS, N_FEATURES)),
    "members with rows of their own": (3, (3, N_ROWS, N_FEATURES)),
}


def frozen(rng):
    """Return a function that puts a generator back to where it is now: masks repeat."""
    state = rng.bit_generator.state
    return lambda: setattr(rng.bit_generator, "state", state)


@pytest.mark.parametrize("case", INPUTS)
@pytest.mark.parametrize("name", COMPONENTS)
def test_gradients_agree_with_central_differences(name, case, rng):
    members, shape = INPUTS[case]
    masks = np.random.default_rng(1)
    component = COMPONENTS[name](members, masks)
    component.parameters += rng.normal(scale=0.3, size=component.size)
    X = rng.normal(size=shape)
    reseed = frozen(masks)
    upstream = rng.normal(size=component.forward(X).shape)

    def loss():
        reseed()
        return float((upstream * component.forward(X)).sum())

    loss()
    dX = component.backward(upstream).copy()
    gradients = component.gradients.copy()

    assert_away_from_kinks(leaf for leaf in component.leaves() if isinstance(leaf, Layer))
    assert_gradient(dX, numerical_gradient(loss, X))
    if component.size:
        assert_gradient(gradients, numerical_gradient(loss, component.parameters))


def test_slope_of_prelu_is_learned(rng):
    layer = Layer(3, 2, "prelu", rng=rng)
    X, slopes = rng.normal(size=(10, 3)), slice(-2, None)
    assert layer.parameters[slopes].tolist() == [0.25, 0.25]

    layer.forward(X)
    layer.backward(np.ones((10, 2)))
    layer.update(0.1)

    expected = 0.25 - 0.1 * np.minimum(layer.z_cache, 0).sum(axis=0)
    np.testing.assert_allclose(layer.parameters[slopes], expected)


@pytest.mark.parametrize("name", ["dense tanh", "dense prelu", "batch norm", "residual"])
def test_gradient_of_the_input_is_left_out_where_nobody_wants_it(name, rng):
    component = COMPONENTS[name](None, rng)
    upstream = rng.normal(size=component.forward(rng.normal(size=(N_ROWS, N_FEATURES))).shape)
    component.backward(upstream)
    expected = component.gradients.copy()

    component.gradients[:] = 0
    component.backward(upstream, wants_input_gradient=False)

    np.testing.assert_array_equal(component.gradients, expected)
