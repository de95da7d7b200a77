"""Gunicorn ignores names it does not know, so a misspelt setting would go unnoticed."""

import os
import runpy
from inspect import ismodule
from pathlib import Path

import pytest
from gunicorn.config import KNOWN_SETTINGS, Config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def conf(monkeypatch):
    """Return a function that reads the file under some environment."""

    def read(**environ):
        monkeypatch.setattr(os, "environ", environ)
        names = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
        return {k: v for k, v in names.items() if not k.startswith("_") and not ismodule(v)}

    return read


def test_every_name_is_a_setting_of_gunicorn(conf):
    assert set(conf()) <= {setting.name for setting in KNOWN_SETTINGS}


def test_every_value_is_accepted_by_gunicorn(conf):
    config = Config()

    for name, value in conf().items():
        config.set(name, value)

    assert config.workers == 2
    assert config.address == [("127.0.0.1", 8000)]  # seen from outside only when asked to


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "scorer.internal"])  # noqa: S104
def test_address_and_workers_come_from_the_environment(conf, host):
    config = Config()

    for name, value in conf(HOST=host, PORT="9123", WEB_CONCURRENCY="5").items():
        config.set(name, value)

    assert config.address == [(host, 9123)]
    assert config.workers == 5


def test_gunicorn_believes_no_proxy_by_itself(conf):
    """Whatever its own variables say: the application reads what proxies say."""
    config = Config()

    for name, value in conf(
        FRAUDSCORE_TRUSTED_PROXIES="10.0.0.0/8", FORWARDED_ALLOW_IPS="*"
    ).items():
        config.set(name, value)

    assert config.forwarded_allow_ips == []
    assert config.secure_scheme_headers == {}


@pytest.mark.parametrize("name", ["PORT", "WEB_CONCURRENCY"])
@pytest.mark.parametrize("value", ["http", "-1", "0", "99999", "8000.5", "٣"])
def test_a_number_that_cannot_be_ends_the_start_in_one_line(conf, name, value):
    with pytest.raises(SystemExit) as stop:
        conf(**{name: value})

    assert str(stop.value).startswith(f"fraudscore cannot start: {name} must be a number")
    assert "\n" not in str(stop.value)


def test_own_worker_unless_threads_are_asked_for(conf):
    assert conf()["worker_class"] == "app.worker.LoopWorker"

    threads = conf(FRAUDSCORE_WORKER="gthread")

    assert threads["worker_class"] == "gthread"
    assert threads["worker_connections"] > threads["threads"]


def test_blas_is_kept_to_one_thread_unless_the_operator_says_otherwise(conf):
    conf()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"

    conf(OPENBLAS_NUM_THREADS="2")
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"


def test_stop_grace_of_the_container_outlasts_that_of_gunicorn(conf):
    grace = (ROOT / "compose.yaml").read_text().partition("stop_grace_period: ")[2]

    assert conf()["graceful_timeout"] < int(grace.partition("s")[0])
