"""Draining a running service, and what must not look like it."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from app.run_dir import is_used
from tests.app.gunicorn import DEADLINE_S, ROOT, wait_for
from tests.factories import valid_row


def command(directory, *arguments, **environ):
    """Run ``python -m app`` in the environment of a service, as a stop hook does."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FRAUDSCORE_")}
    settings = {"FRAUDSCORE_RUN_DIR": str(directory)}
    return subprocess.run(  # noqa: S603 (our own interpreter and module)
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=inherited | settings | environ,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def statuses(server, path):
    """Return the statuses that twenty new connections get, so those of both workers."""
    return {server.get(path).status_code for _ in range(20)}


def run_dir_of(server):
    """Return the run directory of a service."""
    return Path(server.folder.name) / f"fraudscore-{server.port}"


def test_drain_flips_readiness_in_every_worker_while_scoring_goes_on(serve):
    server = serve(WEB_CONCURRENCY="2")

    started = time.monotonic()
    drained = command(run_dir_of(server), "drain", FRAUDSCORE_DRAIN_SECONDS="0.5")
    waited = time.monotonic() - started

    assert (drained.returncode, drained.stdout, drained.stderr) == (0, "", "")
    assert waited >= 0.5
    assert statuses(server, "/health") == statuses(server, "/health/ready") == {503}
    assert statuses(server, "/health/live") == {200}
    assert server.post("/predict", valid_row()).status_code == 200
    server.popen.terminate()
    assert server.end()[0] == 0


def test_drain_can_be_called_off(serve):
    server = serve(WEB_CONCURRENCY="2")
    command(run_dir_of(server), "drain", "--seconds", "0")

    undrained = command(run_dir_of(server), "undrain")

    assert undrained.returncode == 0
    assert statuses(server, "/health") == {200}


@pytest.mark.parametrize("name", ["drain", "undrain"])
def test_command_without_a_running_service_ends_in_one_line(tmp_path, name):
    found = command(tmp_path, name)

    assert found.returncode == 1
    assert found.stderr == f"fraudscore cannot {name}: no service runs in {tmp_path}\n"


def test_time_that_cannot_be_waited_for_is_refused_in_one_line(tmp_path):
    found = command(tmp_path, "drain", "--seconds=soon")

    assert found.returncode == 1
    assert found.stderr == (
        "fraudscore cannot drain: FRAUDSCORE_DRAIN_SECONDS must be a number of seconds, "
        "not 'soon'\n"
    )


def test_service_that_was_killed_while_draining_starts_ready(serve):
    first = serve()
    directory = run_dir_of(first)
    command(directory, "drain", "--seconds", "0")
    os.killpg(first.popen.pid, signal.SIGKILL)

    second = serve(FRAUDSCORE_RUN_DIR=str(directory))

    assert second.get("/health").status_code == 200
    assert is_used(directory)


def test_reload_and_upgrade_stay_ready_and_keep_the_run_directory(serve):
    server = serve(WEB_CONCURRENCY="2")
    published = run_dir_of(server) / "metrics" / "published"
    published.touch()
    done = Event()

    def ask_until_done():
        found = set()
        while not done.is_set():
            found.add(server.get("/health").status_code)
        return found

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask_until_done)
        try:
            before = set(server.workers())
            server.popen.send_signal(signal.SIGHUP)
            wait_for(lambda: not set(server.workers()) & before, "new workers")
            known = set(server.workers())
            server.popen.send_signal(signal.SIGUSR2)
            (upgraded,) = wait_for(lambda: set(server.workers()) - known, "a second master")
            wait_for(lambda: len(children(upgraded)) == 2, "its workers")
            server.popen.terminate()
            server.popen.wait(timeout=DEADLINE_S)
            left_alone = command(run_dir_of(server), "undrain")
        finally:
            done.set()

    assert asked.result() == {200}
    assert published.exists()
    assert left_alone.returncode == 0


def children(pid):
    """Return the ids of the processes below another."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
