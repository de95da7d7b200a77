"""The shipped model behind two workers, ordinary clients, and what may stand before the service."""

import contextlib

import pytest

from benchmarks.serving_models import shipped
from tests.app.soak.proxies import FRONTS
from tests.app.soak.traffic import Transactions, traffic


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """Return a copy of the shipped model with a second version."""
    return shipped(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def model_dir(model):
    """Return the folder of that copy: what the services of these tests serve."""
    return model.folder


@pytest.fixture(scope="session")
def transactions(model, tmp_path_factory):
    """Return what ordinary clients post, and the right answers."""
    return Transactions(model.versions, tmp_path_factory.mktemp("bodies"))


@pytest.fixture
def serve_two(serve):
    """Return a function that starts a service with two workers."""

    def begin(*arguments, **environ):
        return serve(*arguments, WEB_CONCURRENCY="2", **environ)

    return begin


@pytest.fixture(params=FRONTS)
def front(request, tmp_path):
    """Return a function that puts a proxy, or nothing, before a service and returns the port."""
    with contextlib.ExitStack() as running:
        yield lambda server: running.enter_context(FRONTS[request.param](tmp_path, server.port))


@pytest.fixture
def load(transactions, request, capsys):
    """Return a function that keeps ordinary clients busy at a port and says what they saw."""

    @contextlib.contextmanager
    def begin(port, **plan):
        with traffic(transactions, port, **plan) as seen:
            yield seen
        with capsys.disabled():
            print(f"\n{request.node.name}: {seen}", end="")  # noqa: T201 (the figures are what the run is for)

    return begin
