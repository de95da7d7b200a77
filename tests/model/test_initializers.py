"""Initial weights have the variance that their sources ask for."""

import numpy as np
import pytest

from model.dense import Layer
from model.errors import ConfigurationError
from model.initializers import INITIALIZERS, initializer_named

N_IN, N_OUT = 400, 300
VARIANCES = {
    "he_normal": 2 / N_IN,
    "he_uniform": 2 / N_IN,
    "glorot_normal": 2 / (N_IN + N_OUT),
    "glorot_uniform": 2 / (N_IN + N_OUT),
    "zeros": 0.0,
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_mean_is_zero_and_variance_as_published(name, rng):
    values = INITIALIZERS[name](rng, (N_IN, N_OUT))

    standard_error = np.sqrt(VARIANCES[name] / values.size)
    assert abs(values.mean()) <= 4 * standard_error
    assert values.var() == pytest.approx(VARIANCES[name], rel=0.02)


@pytest.mark.parametrize(
    ("name", "limit"),
    [("he_uniform", np.sqrt(6 / N_IN)), ("glorot_uniform", np.sqrt(6 / (N_IN + N_OUT)))],
)
def test_uniform_values_fill_their_bounds_and_no_more(name, limit, rng):
    values = np.abs(INITIALIZERS[name](rng, (N_IN, N_OUT)))

    assert 0.999 * limit < values.max() <= limit


@pytest.mark.parametrize("name", ["he_normal", "glorot_normal"])
def test_normal_values_have_the_tails_of_a_normal_distribution(name, rng):
    values = INITIALIZERS[name](rng, (N_IN, N_OUT))
    values = values / values.std()

    assert (np.abs(values) > 1.96).mean() == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"zeros"}))
def test_members_are_drawn_independently_with_the_same_fans(name, rng):
    values = INITIALIZERS[name](rng, (3, N_IN, N_OUT))

    for member in values:
        assert member.var() == pytest.approx(VARIANCES[name], rel=0.02)
    assert abs(np.corrcoef(values[0].ravel(), values[1].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("name", INITIALIZERS)
def test_same_seed_gives_the_same_bits(name):
    first, second = (INITIALIZERS[name](np.random.default_rng(5), (4, 3)) for _ in range(2))

    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("activation", "variance"),
    [
        ("relu", 2 / N_IN),
        ("leaky_relu", 2 / N_IN),
        ("prelu", 2 / N_IN),
        ("tanh", 2 / (N_IN + N_OUT)),
        ("sigmoid", 2 / (N_IN + N_OUT)),
        (None, 2 / (N_IN + N_OUT)),
    ],
)
def test_rectifiers_start_as_he_says_and_the_others_as_glorot_says(activation, variance, rng):
    layer = Layer(N_IN, N_OUT, activation, rng=rng)

    assert layer.weights.var() == pytest.approx(variance, rel=0.02)


def test_biases_start_at_zero_or_where_they_are_told(rng):
    assert not Layer(3, 2, "relu", rng=rng).biases.any()
    assert Layer(3, 2, "relu", rng=rng, initial_bias=0.01).biases.tolist() == [0.01, 0.01]


def test_without_a_generator_the_weights_differ_each_time():
    assert (Layer(3, 2).weights != Layer(3, 2).weights).all()


def test_unknown_initializer_lists_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"unknown initializer 'ones'; known: he_normal"):
        initializer_named("ones")


def test_initializer_is_found_by_its_name():
    assert initializer_named("he_normal") is INITIALIZERS["he_normal"]
