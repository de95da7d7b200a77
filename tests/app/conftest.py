"""A service over a tiny artifact, and a client of it."""

import contextlib
import shutil
from pathlib import Path

import pytest

from app import create_app
from tests.app.gunicorn import Server, wait_for
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


@pytest.fixture
def serve(model_dir):
    """Return a function that starts a service and waits until it is ready."""
    with contextlib.ExitStack() as running:

        def begin(directory=model_dir, **environ):
            server = Server(directory, **environ)
            running.callback(server.close)
            wait_for(lambda: server.popen.poll() is not None or server.get("/health").ok, "ready")
            assert server.popen.poll() is None, server.end()
            return server

        yield begin


@pytest.fixture
def damaged(model_dir, tmp_path):
    """Return a copy of the champion's folder, to be damaged."""
    return Path(shutil.copytree(model_dir, tmp_path / "damaged"))
