"""Building the application, and refusing to."""

import pytest
from gunicorn.arbiter import Arbiter

from app import create_app, wsgi
from model.errors import ArtifactCorruptError, ArtifactNotFoundError, ConfigurationError


def test_environment_configures_the_service(monkeypatch, model_dir):
    monkeypatch.setenv("FRAUDSCORE_MODEL_DIR", str(model_dir))

    response = wsgi().test_client().get("/health")

    assert response.status_code == 200


def test_missing_model_stops_the_start(tmp_path):
    with pytest.raises(ArtifactNotFoundError) as caught:
        create_app({"MODEL_DIR": tmp_path})

    assert caught.value.path == str(tmp_path / "champion.json")


def test_damaged_pointer_stops_the_start(tmp_path):
    (tmp_path / "champion.json").write_text("{}")

    with pytest.raises(ArtifactCorruptError):
        create_app({"MODEL_DIR": tmp_path})


def test_unknown_setting_stops_the_start(model_dir):
    with pytest.raises(ConfigurationError, match="MODELDIR"):
        create_app({"MODELDIR": model_dir})


def test_server_is_told_in_one_line_why_it_cannot_start(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("FRAUDSCORE_MODEL_DIR", str(tmp_path / "two\nlines"))

    with pytest.raises(SystemExit) as caught:
        wsgi()

    assert caught.value.code == Arbiter.APP_LOAD_ERROR  # upon which Gunicorn stops
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("fraudscore cannot start: ")


def test_two_applications_share_nothing(model_dir):
    first = create_app({"MODEL_DIR": model_dir, "MAX_ROWS": 1})
    second = create_app({"MODEL_DIR": model_dir, "MAX_ROWS": 2})

    assert first.extensions["fraudscore"] is not second.extensions["fraudscore"]
