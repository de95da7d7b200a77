"""What a search may change, from a configuration outwards."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FixedTrial

from training.config import RunConfig
from training.config_file import RECIPES, load_config
from training.search_space import (
    AUTOENCODER,
    CLASSIFIER,
    applied,
    described,
    search_space,
    start_values,
    suggested,
)


@pytest.mark.parametrize("task", ["both", "fraud", "anomaly"])
@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_search_holds_the_configuration_it_starts_from(task, recipe):
    config = load_config(None, {"task": task, "recipe": recipe})

    space = search_space(config)
    start = start_values(config, space)

    for key, kind in space.items():
        assert kind._contains(kind.to_internal_repr(start[key])), key
    assert applied(config, start) == config


def test_task_decides_which_network_is_searched():
    assert set(search_space(RunConfig())) == set(CLASSIFIER)
    assert set(search_space(RunConfig(task="anomaly"))) == set(AUTOENCODER)


@pytest.mark.parametrize("space", [CLASSIFIER, AUTOENCODER], ids=["classifier", "autoencoder"])
def test_every_corner_of_the_space_is_a_configuration(space):
    def corners(kind):
        if isinstance(kind, CategoricalDistribution):
            return kind.choices
        return (kind.low, kind.high)

    for key, kind in space.items():
        for value in corners(kind):
            section, _, name = key.partition(".")
            found = getattr(getattr(applied(RunConfig(), {key: value}), section), name)
            if isinstance(found, tuple):
                found = ",".join(map(str, found))
            assert found == value


def test_settings_outside_are_taken_in():
    config = load_config(
        None,
        {
            "network": {"layers": [100, 50], "members": 1, "n_bins": 20},
            "learning": {"learning_rate": 0.5, "epochs": 3},
        },
    )

    space = search_space(config)

    assert space["network.layers"].choices[-1] == "100,50"
    assert space["network.n_bins"].choices[-1] == 20
    assert space["network.members"].low == 1
    assert space["learning.learning_rate"].high == 0.5
    assert space["learning.epochs"].low == 3
    assert CLASSIFIER["network.members"].low == 2


def test_what_is_off_or_has_no_effect_is_not_searched():
    off = load_config(None, {"learning": {"weight_decay": 0.0}})
    without = load_config(None, {"learning": {"optimizer": "sgd"}})

    for config in (off, without):
        assert set(search_space(config)) == set(CLASSIFIER) - {"learning.weight_decay"}


def test_values_of_a_trial_become_the_configuration():
    values = {
        "network.layers": "64,64",
        "network.members": 4,
        "learning.learning_rate": 0.01,
    }
    space = {key: CLASSIFIER[key] for key in values}

    found = applied(RunConfig(), suggested(FixedTrial(values), space))

    assert found.network.layers == (64, 64)
    assert found.network.members == 4
    assert found.learning.learning_rate == 0.01
    assert found.autoencoder == RunConfig().autoencoder


def test_network_without_hidden_layers_can_be_the_start():
    config = load_config(None, {"network": {"layers": []}})

    assert applied(config, start_values(config, search_space(config))) == config


def test_description_tells_spaces_apart():
    kinds = [
        FloatDistribution(0.0, 1.0),
        FloatDistribution(0.0, 2.0),
        FloatDistribution(0.1, 2.0, log=True),
        IntDistribution(0, 1),
        CategoricalDistribution((0, 1)),
    ]

    texts = {str(described({"a": kind})) for kind in kinds}

    assert len(texts) == len(kinds)
