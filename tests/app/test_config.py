"""Settings: read from FRAUDSCORE_* names, checked once."""

import dataclasses
from pathlib import Path

import pytest

from app.config import Settings
from model.errors import ConfigurationError


def test_defaults_need_no_environment():
    settings = Settings.load({}, {})

    assert settings == Settings(
        model_dir=Path("artifacts/creditcard"),
        max_rows=10_000,
        max_body_bytes=16_777_216,
        log_level="INFO",
        worker="loop",
        head_timeout=10,
        body_timeout=30,
        answer_timeout=30,
    )


def test_environment_sets_every_setting():
    settings = Settings.load(
        {
            "FRAUDSCORE_MODEL_DIR": "/models/ours",
            "FRAUDSCORE_MAX_ROWS": "5",
            "FRAUDSCORE_MAX_BODY_BYTES": "2048",
            "FRAUDSCORE_LOG_LEVEL": "warning",
            "FRAUDSCORE_WORKER": "gthread",
            "FRAUDSCORE_HEAD_TIMEOUT": "1",
            "FRAUDSCORE_BODY_TIMEOUT": "2",
            "FRAUDSCORE_ANSWER_TIMEOUT": "3",
            "PATH": "/usr/bin",
        },
        {},
    )

    assert settings == Settings(Path("/models/ours"), 5, 2048, "WARNING", "gthread", 1, 2, 3)


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
        ("ANSWER_TIMEOUT", "1.5"),
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
        ("LOG_LEVEL", "loud"),
        ("MODEL_DIR", ""),
    ],
)
def test_value_that_cannot_work_is_refused_by_name(name, value):
    with pytest.raises(ConfigurationError, match=f"FRAUDSCORE_{name} must"):
        Settings.load({f"FRAUDSCORE_{name}": value}, {})


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
