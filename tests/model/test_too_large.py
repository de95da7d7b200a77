"""Networks that no memory would hold."""

import pytest

from model import MLP, Autoencoder
from model.errors import ConfigurationError


@pytest.mark.parametrize("sizes", [[10, 10**9, 1], [10, 10**5, 10**5, 1], [10**40, 1]])
def test_size_is_refused_before_memory_is_taken(sizes):
    activations = [*["relu"] * (len(sizes) - 2), "sigmoid"]

    with pytest.raises(ConfigurationError, match="too many, the most is 100,000,000"):
        MLP(sizes, activations)


def test_members_count(rng):
    with pytest.raises(ConfigurationError, match="too many"):
        MLP([10, 10, 1], ["relu", "sigmoid"], members=10**9, rng=rng)


def test_layers_add_up(rng, monkeypatch):
    monkeypatch.setattr("model.component.MOST_PARAMETERS", 1000)

    with pytest.raises(ConfigurationError, match="1,271 weights and biases are too many"):
        MLP([20, 30, 20, 1], ["relu", "relu", "sigmoid"], rng=rng)


def test_autoencoder_is_refused_alike(rng):
    with pytest.raises(ConfigurationError, match="too many"):
        Autoencoder(10, (64,), 10**9, rng=rng)
