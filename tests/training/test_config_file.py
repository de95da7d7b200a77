"""Where a configuration comes from: recipe, file, command line."""

from dataclasses import fields, is_dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.errors import ConfigurationError
from tests.training.configs import from_toml, one_setting
from training.config import (
    RunConfig,
)
from training.config_file import RECIPES, load_config, to_toml

# Every setting, with a value that is not its default; written as TOML.
SETTINGS = {
    "": {
        "name": ('"cards"', "cards"),
        "output": ('"models"', "models"),
        "reports": ('"pages"', "pages"),
        "task": ('"fraud"', "fraud"),
        "recipe": ('"textbook"', "textbook"),
        "base_rate": ("0.001", 0.001),
        "memory": ('"2GB"', "2GB"),
        "seed": ("7", 7),
    },
    "data": {
        "path": ('"cards.csv"', "cards.csv"),
        "label": ('"fraud"', "fraud"),
        "time": ('"when"', "when"),
        "amount": ('"eur"', "eur"),
        "id": ('"number"', "number"),
        "drop": ('["a", "b"]', ("a", "b")),
        "categorical": ('["b"]', ("b",)),
        "nullable": ('["c"]', ("c",)),
        "bounds": ("{eur = {minimum = 0}}", {"eur": {"minimum": 0}}),
        "units": ('{eur = "EUR"}', {"eur": "EUR"}),
        "time_features": ("false", False),
        "attribution": ('"ours"', "ours"),
        "missing": ('["none"]', ("none",)),
        "decimal": ('","', ","),
        "thousands": ('"."', "."),
        "time_format": ('"%d.%m.%Y"', "%d.%m.%Y"),
        "time_unit": ('"ms"', "ms"),
        "positive": ('"bad"', "bad"),
        "encoding": ('"utf-16"', "utf-16"),
    },
    "split": {
        "how": ('"random"', "random"),
        "delay_seconds": ("60", 60.0),
        "test_share": ("0.1", 0.1),
        "validation_share": ("0.3", 0.3),
        "validation": ('"cross_fit"', "cross_fit"),
    },
    "network": {
        "layers": ("[16, 8]", (16, 8)),
        "activation": ('"tanh"', "tanh"),
        "members": ("3", 3),
        "n_bins": ("4", 4),
        "scaling": ('"robust"', "robust"),
        "drop_probability": ("0.5", 0.5),
        "batch_norm": ("true", True),
        "residual": ("true", True),
        "initializer": ('"he_uniform"', "he_uniform"),
    },
    "learning": {
        "optimizer": ('"adam"', "adam"),
        "learning_rate": ("1", 1.0),
        "momentum": ("0.9", 0.9),
        "weight_decay": ("0.1", 0.1),
        "l2": ("0.1", 0.1),
        "schedule": ('"step"', "step"),
        "warmup": ("0.2", 0.2),
        "epochs": ("3", 3),
        "batch_size": ("32", 32),
        "class_weight": ("0.5", 0.5),
        "resampling": ('"smote"', "smote"),
        "resampled_share": ("0.3", 0.3),
        "min_frauds_per_batch": ("4", 4),
        "gradient_clip": ("1", 1.0),
        "monitor": ('"f1"', "f1"),
        "patience": ("2", 2),
        "log_every": ("5", 5),
    },
    "autoencoder": {
        "hidden": ("[32]", (32,)),
        "bottleneck": ("4", 4),
        "activation": ('"tanh"', "tanh"),
        "members": ("2", 2),
        "drop_probability": ("0.2", 0.2),
        "learning_rate": ("0.1", 0.1),
        "weight_decay": ("0.1", 0.1),
        "epochs": ("3", 3),
        "steps_per_epoch": ("50", 50),
        "batch_size": ("32", 32),
        "threshold_quantile": ("0.95", 0.95),
    },
    "policy": {
        "choose": ('"recall"\nreview = 0.9\nblock = 0.5', "recall"),
        "review": ('0.9\nchoose = "recall"\nblock = 0.5', 0.9),
        "block": ('0.5\nchoose = "recall"\nreview = 0.9', 0.5),
        "fee": ("1", 1.0),
        "friction": ("1", 1.0),
        "review_cost": ("1", 1.0),
        "amount_floor": ("1", 1.0),
        "cost_per_fraud": ("1", 1.0),
        "transactions_per_day": ('5000\nchoose = "daily_alerts"\nreview = 9\nblock = 2', 5000.0),
        "calibration": ('"isotonic"', "isotonic"),
        "anomaly_review": ("0.99", 0.99),
    },
}


EVERY_SETTING = [(section, key) for section, keys in SETTINGS.items() for key in keys]


@pytest.mark.parametrize(("section", "key"), EVERY_SETTING)
def test_every_setting_can_be_given_in_a_file(tmp_path, section, key):
    text, expected = SETTINGS[section][key]
    default = RunConfig()

    config = from_toml(tmp_path, one_setting(f"{section}.{key}".strip("."), text))

    assert getattr(getattr(config, section) if section else config, key) == expected
    assert getattr(getattr(default, section) if section else default, key) != expected


def test_the_settings_tested_above_are_all_there_are():
    config = RunConfig()
    parts = {f.name for f in fields(config) if is_dataclass(getattr(config, f.name))}
    found = {part: {f.name for f in fields(getattr(config, part))} for part in parts}
    found[""] = {f.name for f in fields(config)} - parts

    assert {section: set(keys) for section, keys in SETTINGS.items()} == found


def test_recipe_gives_way_to_the_file_and_the_file_to_the_command_line(tmp_path):
    text = 'recipe = "textbook"\n[learning]\nepochs = 7\nbatch_size = 8'

    config = from_toml(tmp_path, text, {"learning": {"batch_size": 16}})

    assert config.network.layers == (16, 16)  # the recipe's
    assert config.learning.epochs == 7  # the file's
    assert config.learning.batch_size == 16  # the command line's
    assert config.learning.optimizer == "sgd"


def test_recipe_of_the_command_line_wins_over_that_of_the_file(tmp_path):
    config = from_toml(tmp_path, 'recipe = "textbook"', {"recipe": "default"})

    assert config == RunConfig(recipe="default")


def test_default_recipe_is_the_default_configuration():
    assert load_config(None, {}) == RunConfig()


def test_textbook_recipe_is_the_classic_one():
    config = load_config(None, {"recipe": "textbook"})

    assert config.network.layers == (16, 16)
    assert config.network.members == 1
    assert config.network.n_bins == 0
    assert config.network.drop_probability == 0
    learning = config.learning
    assert (learning.optimizer, learning.learning_rate, learning.momentum) == ("sgd", 0.01, 0.0)
    assert (learning.batch_size, learning.epochs, learning.class_weight) == (64, 50, 1.0)
    assert learning.schedule == "constant"


def test_loading_a_recipe_changes_no_recipe():
    before = repr(RECIPES)

    load_config(None, {"recipe": "textbook", "learning": {"epochs": 1}})

    assert repr(RECIPES) == before


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"seed = ", "run.toml"),
        (b"\xff\xfe", "run.toml"),
        (b"seed = 1\nseed = 2", "run.toml"),
    ],
)
def test_unreadable_file_is_refused_by_name(tmp_path, content, what):
    path = tmp_path / "run.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=what):
        load_config(path, {})


def test_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml", {})


def test_configuration_as_json_types_builds_the_same_configuration():
    config = load_config(None, {"recipe": "textbook", "data": {"drop": ["a"]}})

    assert load_config(None, _given(config.to_dict())) == config


def _given(facts):
    """Leave out what was not given: TOML has no null."""
    return {
        key: _given(value) if isinstance(value, dict) else value
        for key, value in facts.items()
        if value is not None
    }


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.floats(0, 1e6)
configurations = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**40),
        "task": st.sampled_from(["both", "fraud", "anomaly"]),
        "recipe": st.sampled_from(sorted(RECIPES)),
        "data": st.fixed_dictionaries(
            {"attribution": texts, "drop": st.lists(texts), "time_features": st.booleans()},
            optional={
                "path": texts,
                "units": st.dictionaries(texts, texts),
                "bounds": st.dictionaries(texts, st.fixed_dictionaries({"minimum": numbers})),
            },
        ),
        "network": st.fixed_dictionaries({"layers": st.lists(st.integers(1, 99), max_size=3)}),
        "learning": st.fixed_dictionaries({"learning_rate": numbers}),
    },
    optional={"base_rate": st.floats(1e-9, 0.5)},
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=configurations)
def test_configuration_written_as_toml_is_read_back_as_it_is(facts, tmp_path):
    config = load_config(None, facts)
    path = tmp_path / "written.toml"

    path.write_text(to_toml(config), encoding="utf-8")

    assert load_config(path, {}) == config
