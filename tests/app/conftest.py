"""A service over a tiny artifact, and a client of it."""

import contextlib

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


@contextlib.contextmanager
def starting(model_dir):
    """Give a function that starts a service and waits until it is ready; end them all after."""
    with contextlib.ExitStack() as running:

        def begin(*arguments, directory=model_dir, health_path="/health", **environ):
            server = Server(directory, *arguments, **environ)
            running.callback(server.close)
            wait_for(lambda: server.popen.poll() is not None or server.get(health_path).ok, "ready")
            assert server.popen.poll() is None, server.end()
            return server

        yield begin


@pytest.fixture
def serve(model_dir):
    """Return a function that starts a service for one test."""
    with starting(model_dir) as begin:
        yield begin


@pytest.fixture(scope="module")
def serve_for_long(model_dir):
    """Return a function that starts a service for the tests of a file."""
    with starting(model_dir) as begin:
        yield begin
