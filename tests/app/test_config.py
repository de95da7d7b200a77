"""Settings: read from FRAUDSCORE_* names, checked once."""

import dataclasses
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.config import Settings
from model.errors import ConfigurationError
from model.shipped import SHIPPED


def test_defaults_need_no_environment():
    settings = Settings.load({}, {})

    assert settings == Settings()
    assert settings.model_dir == SHIPPED / "creditcard"
    assert (settings.model_dir / "champion.json").is_file()  # whatever the working folder is
    assert settings.keys_file is None


def test_environment_sets_every_setting():
    settings = Settings.load(
        {
            "FRAUDSCORE_MODEL_DIR": "/models/ours",
            "FRAUDSCORE_MAX_ROWS": "5",
            "FRAUDSCORE_MAX_BODY_BYTES": "2048",
            "FRAUDSCORE_LOG_LEVEL": "warning",
            "FRAUDSCORE_LANE": "off",
            "FRAUDSCORE_KEYS_FILE": "/secrets/keys.json",
            "FRAUDSCORE_OPEN_ROUTES": "/metrics, /docs",
            "FRAUDSCORE_RATE_LIMIT": "5/second",
            "FRAUDSCORE_REDIS_URL": "redis://here",
            "FRAUDSCORE_TRUSTED_PROXIES": "10.0.0.0/8,::1",
            "FRAUDSCORE_MOUNT_PATH": "/fraud/",
            "FRAUDSCORE_MODEL_POLL_SECONDS": "0.5",
            "FRAUDSCORE_DRAIN_SECONDS": "20",
            "FRAUDSCORE_RUN_DIR": "/run/fraudscore",
            "FRAUDSCORE_WORKER": "gthread",
            "FRAUDSCORE_HEAD_TIMEOUT": "1",
            "FRAUDSCORE_BODY_TIMEOUT": "2.5",
            "FRAUDSCORE_ANSWER_TIMEOUT": "3",
            "PATH": "/usr/bin",
        },
        {},
    )

    expected = {
        "model_dir": Path("/models/ours"),
        "max_rows": 5,
        "max_body_bytes": 2048,
        "log_level": "WARNING",
        "lane": False,
        "keys_file": Path("/secrets/keys.json"),
        "open_routes": ("/metrics", "/docs"),
        "rate_limit": "5/second",
        "redis_url": "redis://here",
        "trusted_proxies": (ip_network("10.0.0.0/8"), ip_network("::1/128")),
        "mount_path": "/fraud",
        "model_poll_seconds": 0.5,
        "drain_seconds": 20.0,
        "run_dir": Path("/run/fraudscore"),
        "worker": "gthread",
        "head_timeout": 1.0,
        "body_timeout": 2.5,
        "answer_timeout": 3.0,
    }
    assert dataclasses.asdict(settings) == expected


def test_caller_overrides_the_environment():
    settings = Settings.load({"FRAUDSCORE_MAX_ROWS": "5"}, {"MAX_ROWS": 7})

    assert settings.max_rows == 7


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().max_rows = 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKER", "sync"),
        ("WORKER", ""),
        ("HEAD_TIMEOUT", "0"),
        ("BODY_TIMEOUT", "3601"),
        ("ANSWER_TIMEOUT", "soon"),
        ("LANE", "yes"),
        ("OPEN_ROUTES", "/predict"),
        ("TRUSTED_PROXIES", "everyone"),
        ("MAX_ROWS", "0"),
        ("MAX_ROWS", "-1"),
        ("MAX_ROWS", "1000001"),
        ("MAX_ROWS", "ten"),
        ("MAX_ROWS", ""),
        ("MAX_ROWS", " 10"),
        ("MAX_ROWS", "1_000"),
        ("MAX_ROWS", "١٢"),
        ("MAX_ROWS", "9" * 5000),
        ("MAX_BODY_BYTES", "100"),
        ("MAX_BODY_BYTES", "1e6"),
        ("MAX_BODY_BYTES", "16MiB"),
        ("MODEL_POLL_SECONDS", "0"),
        ("MODEL_POLL_SECONDS", "-1"),
        ("MODEL_POLL_SECONDS", "1e3"),
        ("MODEL_POLL_SECONDS", ".5"),
        ("MODEL_POLL_SECONDS", "nan"),
        ("DRAIN_SECONDS", "3601"),
        ("DRAIN_SECONDS", "soon"),
        ("RUN_DIR", ""),
        ("LOG_LEVEL", "loud"),
        ("MODEL_DIR", ""),
    ],
)
def test_value_that_cannot_work_is_refused_by_name(name, value):
    with pytest.raises(ConfigurationError, match=f"FRAUDSCORE_{name} must"):
        Settings.load({f"FRAUDSCORE_{name}": value}, {})


@pytest.mark.parametrize(("text", "value"), [("1", 1.0), ("0.25", 0.25)])
def test_times_may_have_fractions(text, value):
    settings = Settings.load({"FRAUDSCORE_MODEL_POLL_SECONDS": text}, {"DRAIN_SECONDS": value})

    assert settings.model_poll_seconds == settings.drain_seconds == value


def test_override_of_a_wrong_type_is_refused():
    with pytest.raises(ConfigurationError, match="FRAUDSCORE_MAX_ROWS must be a whole number"):
        Settings.load({}, {"MAX_ROWS": True})


def test_misspelt_name_is_refused_with_the_likely_one():
    with pytest.raises(ConfigurationError, match="did you mean FRAUDSCORE_MODEL_DIR"):
        Settings.load({"FRAUDSCORE_MODLE_DIR": "x"}, {})


def test_unknown_name_is_refused_with_those_that_exist():
    with pytest.raises(ConfigurationError, match="the settings are FRAUDSCORE_MODEL_DIR, "):
        Settings.load({"FRAUDSCORE_ZZZ": "x"}, {})


def test_unknown_override_is_refused():
    with pytest.raises(ConfigurationError, match="FRAUDSCORE_MAXROWS is not a setting"):
        Settings.load({}, {"MAXROWS": 1})


@pytest.mark.parametrize(
    "name",
    [
        "FRAUDSCORE_SERVICE_HOST",
        "FRAUDSCORE_SERVICE_PORT",
        "FRAUDSCORE_SERVICE_PORT_HTTP",
        "FRAUDSCORE_PORT",
        "FRAUDSCORE_PORT_8000_TCP",
        "FRAUDSCORE_PORT_8000_TCP_ADDR",
        "FRAUDSCORE_CANARY_SERVICE_HOST",
        "FRAUDSCORE_CANARY_PORT_8000_TCP_PROTO",
    ],
)
def test_names_that_kubernetes_adds_for_a_service_do_not_stop_the_start(name):
    assert Settings.load({name: "tcp://10.0.0.7:8000"}, {}) == Settings()
