"""A service over a tiny artifact, and a client of it."""

import pytest

from app import create_app
from tests.factories import write_tiny_artifact


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory):
    """Return a folder with a small champion."""
    directory = tmp_path_factory.mktemp("models") / "tiny"
    write_tiny_artifact(directory)
    return directory


@pytest.fixture
def app(model_dir):
    """Return the application over the small champion."""
    return create_app({"MODEL_DIR": model_dir})


@pytest.fixture
def client(app):
    """Return a client of that application."""
    return app.test_client()


@pytest.fixture
def champion(app):
    """Return what the application holds."""
    return app.extensions["fraudscore"].current()
