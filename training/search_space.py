"""What a search may change, and between which values: one line for each setting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from optuna.trial import Trial

from training.config import RunConfig

Kind = CategoricalDistribution | FloatDistribution | IntDistribution
Space = dict[str, Kind]
Values = dict[str, Any]

# Key of the configuration → its values. Hidden layers are written as on the command line.
CLASSIFIER: Space = {
    "network.layers": CategoricalDistribution(("16", "32", "64", "128", "32,32", "64,64")),
    "network.members": IntDistribution(2, 16, log=True),
    "network.n_bins": CategoricalDistribution((0, 8, 16, 32, 64)),
    "network.drop_probability": FloatDistribution(0.0, 0.5),
    "learning.learning_rate": FloatDistribution(3e-4, 2e-2, log=True),
    "learning.weight_decay": FloatDistribution(1e-4, 1e-1, log=True),
    "learning.epochs": IntDistribution(10, 60),
    "learning.batch_size": CategoricalDistribution((64, 128, 256, 512)),
    "learning.class_weight": FloatDistribution(0.0, 1.0),
}
AUTOENCODER: Space = {
    "autoencoder.hidden": CategoricalDistribution(("32", "64", "128", "64,32", "128,64")),
    "autoencoder.bottleneck": IntDistribution(2, 32, log=True),
    "autoencoder.drop_probability": FloatDistribution(0.0, 0.5),
    "autoencoder.learning_rate": FloatDistribution(3e-4, 2e-2, log=True),
    "autoencoder.epochs": IntDistribution(10, 60),
    "autoencoder.batch_size": CategoricalDistribution((64, 128, 256, 512)),
}


def search_space(config: RunConfig) -> Space:
    """Return what is searched, from a configuration outwards.

    The values that the configuration has are always among those that are searched. A setting that
    it switches off with a 0 that no logarithmic range can hold stays off, and so does the weight
    decay of optimizers that have none.
    """
    space = AUTOENCODER if config.task == "anomaly" else CLASSIFIER
    found = {}
    for key, distribution in space.items():
        if key == "learning.weight_decay" and config.learning.optimizer != "adamw":
            continue
        widened = _with(distribution, _written(_value(config, key)))
        if widened is not None:
            found[key] = widened
    return found


def start_values(config: RunConfig, space: Space) -> Values:
    """Return the values that a configuration has, as a search writes them."""
    return {key: _written(_value(config, key)) for key in space}


def suggested(trial: Trial, space: Space) -> Values:
    """Return a value for each setting, as the sampler or the queue of the study has it."""
    values: Values = {}
    for key, kind in space.items():
        if isinstance(kind, CategoricalDistribution):
            values[key] = trial.suggest_categorical(key, kind.choices)
        elif isinstance(kind, IntDistribution):
            values[key] = trial.suggest_int(key, kind.low, kind.high, log=kind.log)
        else:
            values[key] = trial.suggest_float(key, kind.low, kind.high, log=kind.log)
    return values


def applied(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """Return the configuration with what a search found.

    Raises
    ------
    ConfigurationError
        If values do not go together.
    """
    changes: dict[str, Values] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        is_widths = isinstance(_value(config, key), tuple)
        read = tuple(int(width) for width in value.split(",") if width) if is_widths else value
        changes.setdefault(section, {})[name] = read
    parts = {section: replace(getattr(config, section), **c) for section, c in changes.items()}
    return replace(config, **parts)


def described(space: Space) -> dict[str, Any]:
    """Return a search space as JSON types."""
    return {key: json.loads(distribution_to_json(kind)) for key, kind in space.items()}


def _value(config: RunConfig, key: str) -> Any:
    section, _, name = key.partition(".")
    return getattr(getattr(config, section), name)


def _written(value: Any) -> Any:
    return ",".join(map(str, value)) if isinstance(value, tuple) else value


def _with(distribution: Kind, value: Any) -> Kind | None:
    """Return the distribution widened to hold a value; None if it cannot be."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return CategoricalDistribution(choices if value in choices else (*choices, value))
    if distribution.log and value <= 0:
        return None
    low, high = min(distribution.low, value), max(distribution.high, value)
    return type(distribution)(low, high, log=distribution.log)
