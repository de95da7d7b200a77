"""Configurations: where they come from, and what is refused."""

from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from model.errors import ConfigurationError
from training.config import (
    LearningConfig,
    NetworkConfig,
    PolicyConfig,
    RunConfig,
    SplitConfig,
)
from training.config_file import RECIPES, load_config
from training.options import config_from

# Every setting, with a value that is not its default; written as TOML.
SETTINGS = {
    "": {
        "name": ('"cards"', "cards"),
        "output": ('"models"', "models"),
        "reports": ('"pages"', "pages"),
        "task": ('"fraud"', "fraud"),
        "recipe": ('"textbook"', "textbook"),
        "base_rate": ("0.001", 0.001),
        "seed": ("7", 7),
    },
    "data": {
        "path": ('"cards.csv"', "cards.csv"),
        "label": ('"fraud"', "fraud"),
        "time": ('"when"', "when"),
        "amount": ('"eur"', "eur"),
        "id": ('"number"', "number"),
        "drop": ('["a", "b"]', ("a", "b")),
        "nullable": ('["c"]', ("c",)),
        "bounds": ("{eur = {minimum = 0}}", {"eur": {"minimum": 0}}),
        "units": ('{eur = "EUR"}', {"eur": "EUR"}),
        "time_features": ("false", False),
        "attribution": ('"ours"', "ours"),
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
        "calibration": ('"isotonic"', "isotonic"),
        "anomaly_review": ("0.99", 0.99),
    },
}
EVERY_SETTING = [(section, key) for section, keys in SETTINGS.items() for key in keys]
OUT_OF_RANGE = [
    ("seed", "-1"),
    ("base_rate", "0"),
    ("base_rate", "1"),
    ("base_rate", "nan"),
    ("name", '"../elsewhere"'),
    ("name", '".."'),
    ("data.bounds", "{amount = 5}"),
    ("data.bounds", "{amount = {lowest = 5}}"),
    ("data.bounds", '{amount = {minimum = "a"}}'),
    ("data.bounds", "{amount = {minimum = 2, maximum = 1}}"),
    ("data.bounds", "{amount = {minimum = nan}}"),
    ("data.units", "{amount = 5}"),
    ("split.test_share", "-0.1"),
    ("split.test_share", "0.8"),
    ("split.test_share", "nan"),
    ("split.validation_share", "1.5"),
    ("split.delay_seconds", "-1"),
    ("network.layers", "[16, 0]"),
    ("network.members", "0"),
    ("network.n_bins", "-1"),
    ("network.drop_probability", "1"),
    ("network.activation", '"swish"'),
    ("network.initializer", '"ones"'),
    ("learning.learning_rate", "-0.1"),
    ("learning.learning_rate", "inf"),
    ("learning.momentum", "1"),
    ("learning.weight_decay", "-1"),
    ("learning.l2", "-1"),
    ("learning.warmup", "1.5"),
    ("learning.epochs", "0"),
    ("learning.batch_size", "0"),
    ("learning.class_weight", "100"),
    ("learning.resampled_share", "1"),
    ("learning.min_frauds_per_batch", "-1"),
    ("learning.min_frauds_per_batch", "256"),
    ("learning.gradient_clip", "-1"),
    ("learning.patience", "-1"),
    ("learning.log_every", "0"),
    ("autoencoder.hidden", "[0]"),
    ("autoencoder.bottleneck", "0"),
    ("autoencoder.members", "0"),
    ("autoencoder.activation", '"swish"'),
    ("autoencoder.drop_probability", "1"),
    ("autoencoder.learning_rate", "-1"),
    ("autoencoder.weight_decay", "-1"),
    ("autoencoder.epochs", "0"),
    ("autoencoder.batch_size", "0"),
    ("autoencoder.threshold_quantile", "1.5"),
    ("policy.review", "0.5"),
    ("policy.fee", "-1"),
    ("policy.friction", "-1"),
    ("policy.review_cost", "-1"),
    ("policy.amount_floor", "-1"),
    ("policy.anomaly_review", "2"),
]


def from_toml(directory, text, overrides=None):
    """Load the configuration of a TOML text."""
    path = directory / "run.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, overrides or {})


def one_setting(key, value):
    """Return TOML that sets one key, given as section.key."""
    section, _, name = key.rpartition(".")
    return f"[{section}]\n{name} = {value}" if section else f"{name} = {value}"


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
    ("text", "key"),
    [
        ("lable = 1", "lable"),
        ("[data]\nlable = 'Class'", "data.lable"),
        ("[learning.optimizer]\nname = 'sgd'", "learning.optimizer"),
        ("[lerning]\nepochs = 1", "lerning"),
    ],
)
def test_unknown_keys_are_refused_by_name(tmp_path, text, key):
    with pytest.raises(ConfigurationError, match=key.replace(".", r"\.")):
        from_toml(tmp_path, text)


def test_unknown_key_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(ConfigurationError, match="delay_seconds, how, test_share"):
        from_toml(tmp_path, "[split]\nshare = 0.1")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "5"),
        ("seed", "1.5"),
        ("seed", "true"),
        ("seed", '"1"'),
        ("base_rate", '"0.1"'),
        ("task", '"all"'),
        ("recipe", '"best"'),
        ("recipe", '["textbook"]'),
        ("recipe", "{name = 'textbook'}"),
        ("data", "5"),
        ("data.drop", '"a,b"'),
        ("data.drop", "[1]"),
        ("data.bounds", "[0, 1]"),
        ("data.time_features", "1"),
        ("split.test_share", "true"),
        ("split.how", "[]"),
        ("network.layers", "16"),
        ("network.layers", "[16.5]"),
        ("network.batch_norm", '"yes"'),
        ("learning.optimizer", '"lbfgs"'),
        ("learning.epochs", "3.0"),
        ("policy.review", '"high"'),
    ],
)
def test_values_of_the_wrong_type_are_refused_by_name(tmp_path, key, value):
    with pytest.raises(ConfigurationError) as caught:
        from_toml(tmp_path, one_setting(key, value))

    assert str(caught.value).startswith(f"{key} must be ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("key", "value"), OUT_OF_RANGE)
def test_values_out_of_range_are_refused_by_name(tmp_path, key, value):
    section, _, name = key.rpartition(".")

    with pytest.raises(ConfigurationError) as caught:
        from_toml(tmp_path, one_setting(key, value))

    assert name in str(caught.value)
    assert str(caught.value).startswith(f"{section}: " if section else name)


@pytest.mark.parametrize(
    ("choose", "review", "block"),
    [("precision", 50, 0.9), ("recall", 0.9, None), ("alert_budget", None, 5), ("cost", 0.1, 0.5)],
)
def test_target_values_that_no_policy_can_use_are_refused(choose, review, block):
    with pytest.raises(ConfigurationError, match="review"):
        PolicyConfig(choose=choose, review=review, block=block)


def test_alert_budget_counts_alerts_and_may_exceed_one():
    assert PolicyConfig(choose="alert_budget", review=100.0, block=20.0).review == 100.0


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"task": "fraud", "policy": PolicyConfig(anomaly_review=0.9)}, "anomaly_review"),
        (
            {
                "learning": LearningConfig(resampling="smote"),
                "split": SplitConfig(validation="cross_fit"),
            },
            "resampled",
        ),
    ],
)
def test_parts_that_cannot_work_together_are_refused_before_the_run(parts, what):
    with pytest.raises(ConfigurationError, match=what):
        RunConfig(**parts)


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


def test_configuration_cannot_be_changed_afterwards():
    with pytest.raises(FrozenInstanceError):
        RunConfig().seed = 1
    with pytest.raises(FrozenInstanceError):
        NetworkConfig().members = 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/creditcard.csv", "creditcard"),
        ("creditcard_sample.csv.gz", "creditcard_sample"),
        ("cards.2026-01.parquet", "cards.2026-01"),
        (None, "simulated"),
    ],
)
def test_name_of_the_model_is_the_stem_of_the_file(path, name):
    assert load_config(None, {"data": {"path": path} if path else {}}).model_name == name


def test_given_name_wins_over_the_stem():
    assert load_config(None, {"name": "ours", "data": {"path": "a.csv"}}).model_name == "ours"


def test_every_option_of_the_command_line_reaches_its_setting(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('[data]\nlabel = "no"\n[split]\ntest_share = 0.3\nvalidation = "holdout"')

    config = config_from(
        {
            "data": "cards.csv",
            "label": "fraud",
            "time": "when",
            "amount": "eur",
            "id": "number",
            "drop": "a, b",
            "task": "both",
            "recipe": "textbook",
            "layers": "20,10",
            "split": "time",
            "delay": "7d",
            "test_share": 0.0,
            "validation_share": 0.1,
            "base_rate": 0.01,
            "attribution": "ours",
            "name": "cards",
            "output": "models",
            "reports": "pages",
            "config": path,
            "seed": 3,
        }
    )

    data = config.data
    columns = (data.path, data.label, data.time, data.amount, data.id, data.drop)
    assert columns == ("cards.csv", "fraud", "when", "eur", "number", ("a", "b"))
    assert data.attribution == "ours"
    assert config.split == SplitConfig("time", 604_800.0, 0.0, 0.1, "holdout")
    assert config.network.layers == (20, 10)
    assert (config.task, config.recipe, config.name) == ("both", "textbook", "cards")
    assert (config.output, config.reports) == ("models", "pages")
    assert (config.base_rate, config.seed) == (0.01, 3)


def test_option_that_is_not_given_leaves_the_file_alone(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("seed = 5\n[network]\nlayers = [4]")

    config = config_from({"config": path, "seed": None, "layers": None, "data": None})

    assert (config.seed, config.network.layers) == (5, (4,))


@pytest.mark.parametrize("layers", ["", "16,", "a", "16;16", "1.5"])
def test_layers_that_are_no_numbers_are_refused(layers):
    with pytest.raises(ConfigurationError, match="16,16"):
        config_from({"layers": layers})


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
