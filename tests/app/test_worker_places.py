"""As many connections as there are file descriptors for, and always room for a new one."""

import contextlib
import resource

import pytest

from app.worker.places import Places, allow_files, find_places
from tests.app.gunicorn import Process, Server, wait_for

ECHO = "tests.app.echo:application()"
GET = b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture
def limit(monkeypatch):
    """Return a function that sets the limits of this process, as far as the tests can see."""
    limits = {}

    def set_limits(_which, pair):
        assert pair[0] <= pair[1]
        limits["now"] = pair

    monkeypatch.setattr(resource, "RLIM_INFINITY", 2**40)
    monkeypatch.setattr(resource, "getrlimit", lambda _which: limits["now"])
    monkeypatch.setattr(resource, "setrlimit", set_limits)

    def set_to(soft, hard):
        limits["now"] = (soft, hard)
        return limits

    return set_to


@pytest.mark.parametrize(
    ("soft", "hard", "places"),
    [
        (2**40, 2**40, Places(1000, 128)),
        (256, 2**40, Places(1000, 128)),
        (1024, 20_000, Places(1000, 128)),
        (64, 1160, Places(1000, 128)),
        (1024, 1159, Places(999, 128)),
        (256, 256, Places(196, 28)),
        (48, 64, Places(28, 4)),
        (48, 48, Places(14, 2)),
    ],
)
def test_connections_follow_from_the_limit_of_files(limit, soft, hard, places):
    limit(soft, hard)

    allow_files(1000, 2)

    assert find_places(1000) == places


def test_limit_is_raised_no_further_than_needed(limit):
    limits = limit(256, 20_000)

    allow_files(1000, 2)
    assert limits["now"] == (1160, 20_000)
    allow_files(500, 2)
    assert limits["now"] == (1160, 20_000)


def test_few_connections_need_few_files(limit):
    limit(64, 64)

    allow_files(10, 2)

    assert find_places(10) == Places(10, 4)


@pytest.mark.parametrize(("hard", "n_workers", "least"), [(47, 2, 48), (90, 60, 92)])
def test_too_few_files_are_refused(limit, hard, n_workers, least):
    limit(hard, hard)

    with pytest.raises(OSError, match=f"is {hard} .* {least} are needed"):
        allow_files(1000, n_workers)


class Scarce(Process):
    """A service whose shell allows few open files, and no process of it more."""

    n_files = 64

    def command(self, *arguments):
        shell = ["sh", "-c", f'ulimit -n {self.n_files}; exec "$@"', "sh"]
        return [*shell, *super().command(*arguments)]


class ScarceServer(Scarce, Server):
    """Such a service, and ways to talk to it."""


class Hopeless(Scarce):
    """A service with fewer files than it can run with."""

    n_files = 40


def test_idle_connections_leave_room_where_files_are_scarce(model_dir):
    with contextlib.ExitStack() as opened:
        server = opened.enter_context(contextlib.closing(ScarceServer(model_dir, ECHO)))
        wait_for(lambda: server.get("/x").ok, "ready")
        for _ in range(80):
            opened.enter_context(server.connect())

        wait_for(lambda: server.raw(GET)[0] == 200, "room")
        answers = {server.raw(GET)[0] for _ in range(40)}
        messages = [line["message"] for line in server.log()]

    assert answers == {200}
    assert [message for message in messages if "limit of open files" in message] == [
        "Each worker serves 28 connections at once instead of 1000: the limit of open files cannot"
        " be raised to 1160 (ulimit -n, LimitNOFILE)"
    ]
    assert not any("cannot accept" in message for message in messages)


def test_too_few_files_end_the_start_in_one_line(model_dir):
    with contextlib.closing(Hopeless(model_dir, ECHO)) as process:
        code, _, errors = process.end()

    assert code == 1
    assert errors == [
        "fraudscore cannot start: the limit of open files is 40 and cannot be raised; at least 48"
        " are needed (ulimit -n, LimitNOFILE)"
    ]
