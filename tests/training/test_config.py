"""What a configuration refuses, by name and before the run."""

from dataclasses import FrozenInstanceError

import pytest

from model.errors import ConfigurationError
from tests.training.configs import from_toml, one_setting
from training.config import (
    LearningConfig,
    NetworkConfig,
    PolicyConfig,
    RunConfig,
    SplitConfig,
)
from training.config_file import load_config, to_toml

OUT_OF_RANGE = [
    ("seed", "-1"),
    ("seed", "9223372036854775808"),
    ("learning.patience", f"1{'0' * 400}"),
    ("policy.fee", f"1{'0' * 400}"),
    ("base_rate", "0"),
    ("base_rate", "1"),
    ("base_rate", "nan"),
    ("memory", '"2"'),
    ("memory", '"lots"'),
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
    ("network.n_bins", "1000000000"),
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
    ("learning.batch_size", "1000000000000"),
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
    ("autoencoder.steps_per_epoch", "0"),
    ("autoencoder.batch_size", "0"),
    ("autoencoder.threshold_quantile", "1.5"),
    ("policy.review", "0.5"),
    ("policy.fee", "-1"),
    ("policy.friction", "-1"),
    ("policy.review_cost", "-1"),
    ("policy.amount_floor", "-1"),
    ("policy.cost_per_fraud", "-1"),
    ("policy.anomaly_review", "2"),
    ("policy.transactions_per_day", "0"),
]


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
    [
        ("precision", 50, 0.9),
        ("recall", 0.9, None),
        ("alert_budget", None, 5),
        ("cost", 0.1, 0.5),
        ("precision", 0.9, 0.3),
        ("recall", 0.3, 0.8),
        ("daily_alerts", 1, 5),
        ("alert_budget", 10_001, 5),
    ],
)
def test_target_values_that_no_policy_can_use_are_refused(choose, review, block):
    with pytest.raises(ConfigurationError, match="review"):
        PolicyConfig(choose=choose, review=review, block=block)


@pytest.mark.parametrize("choose", ["alert_budget", "daily_alerts"])
def test_alert_budget_counts_alerts_and_may_exceed_one(choose):
    assert PolicyConfig(choose=choose, review=100.0, block=20.0).review == 100.0


def test_traffic_is_refused_where_no_alerts_a_day_are_asked_for():
    with pytest.raises(ConfigurationError, match=r"transactions_per_day .* 'alert_budget'"):
        PolicyConfig(choose="alert_budget", review=9.0, block=2.0, transactions_per_day=100.0)


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
        ({"memory": "2GB", "learning": LearningConfig(resampling="smote")}, "memory"),
    ],
)
def test_parts_that_cannot_work_together_are_refused_before_the_run(parts, what):
    with pytest.raises(ConfigurationError, match=what):
        RunConfig(**parts)


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


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"decimal": ";"}, r"decimal must be '\.' or ',', got ';'"),
        ({"thousands": "x"}, "thousands must be"),
        ({"decimal": ",", "thousands": ","}, "cannot both be ','"),
        ({"time_unit": "fortnight"}, "time_unit must be one of s, ms"),
        ({"time_format": "day"}, "time_format is written as"),
        ({"encoding": "morse"}, "encoding 'morse' is unknown"),
        ({"missing": "NA"}, "missing"),
    ],
)
def test_what_cannot_be_said_of_cells_is_refused_by_name(data, message):
    with pytest.raises(ConfigurationError, match=message):
        load_config(None, {"data": data})


def test_what_is_said_of_cells_is_written_and_read_back(tmp_path):
    said = {
        "missing": ["NA", "?"],
        "decimal": ",",
        "thousands": " ",
        "time_format": "%d.%m.%Y",
        "time_unit": "ms",
        "positive": "yes",
        "encoding": "windows-1252",
    }
    config = load_config(None, {"data": said})
    (tmp_path / "run.toml").write_text(to_toml(config))

    assert load_config(tmp_path / "run.toml", {}) == config
    assert config.data.missing == ("NA", "?")


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/cards.CSV", "cards"), ("cards.tsv.zst", "cards"), ("cards/*.csv", "cards"), ("b/", "b")],
)
def test_model_is_called_like_its_file_or_folder(path, name):
    assert load_config(None, {"data": {"path": path}}).model_name == name
