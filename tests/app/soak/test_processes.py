"""Signals, deaths and new versions under load: only what a killed worker held may be lost."""

import os
import signal
import subprocess
import sys
import time
from itertools import cycle, islice

import pytest

from benchmarks.process_tree import connections
from tests.app.gunicorn import DEADLINE_S, ROOT, wait_for
from tests.app.soak.traffic import CLIENTS, Footprint, reads_proc
from tests.app.test_drain import children, run_dir_of

pytestmark = [pytest.mark.soak, reads_proc]

LOADED_S = 1.0  # under load before something happens, and again after it
FROZEN_S = 2.0
SWAPS, SWAP_EVERY_S = 8, 0.5


def under_load():
    """Let the load go on for a while."""
    time.sleep(LOADED_S)


def replaced(server, before):
    """Wait until other workers than before serve."""
    wait_for(
        lambda: len(server.workers()) == len(before) and not set(server.workers()) & set(before),
        "new workers",
    )


def test_reloads_lose_nothing(serve_two, front, load):
    server = serve_two()
    port = front(server)
    with load(port) as seen:
        under_load()
        footprint = Footprint(server)
        for _ in range(3):
            before = server.workers()
            server.popen.send_signal(signal.SIGHUP)
            replaced(server, before)
            under_load()

    seen.assert_nothing_lost()
    seen.assert_healthy()
    footprint.assert_not_larger()


def test_hangup_of_the_whole_process_group_loses_nothing(serve_two, front, load):
    """A terminal that is closed, and some process managers, send it to the workers as well."""
    server = serve_two()
    port = front(server)
    with load(port) as seen:
        under_load()
        before = server.workers()
        os.killpg(server.popen.pid, signal.SIGHUP)
        replaced(server, before)
        under_load()

    seen.assert_nothing_lost()
    seen.assert_healthy()


def test_upgrade_of_the_master_loses_nothing(serve_two, front, load):
    server = serve_two()
    port = front(server)
    with load(port) as seen:
        under_load()
        known = set(server.workers())
        server.popen.send_signal(signal.SIGUSR2)
        (upgraded,) = wait_for(lambda: set(server.workers()) - known, "a second master")
        wait_for(lambda: len(children(upgraded)) == 2, "its workers")
        under_load()
        server.popen.send_signal(signal.SIGWINCH)  # which a master in the foreground leaves alone
        server.popen.terminate()
        server.popen.wait(DEADLINE_S)
        under_load()

    seen.assert_nothing_lost()
    seen.assert_healthy()


def test_draining_takes_readiness_away_and_no_answer(serve_two, front, load):
    server = serve_two()
    port = front(server)
    environ = os.environ | {"FRAUDSCORE_RUN_DIR": str(run_dir_of(server))}

    def run(*command):
        subprocess.run(  # noqa: S603 (our own interpreter and module)
            [sys.executable, "-m", "app", *command],
            cwd=ROOT,
            env=environ,
            check=True,
            timeout=DEADLINE_S,
        )

    with load(port) as seen:
        under_load()
        run("drain", "--seconds", "1")
        assert server.get("/health").status_code == 503
        run("undrain")
        wait_for(lambda: server.get("/health").ok, "readiness")
        under_load()

    seen.assert_nothing_lost()
    assert set(seen.health_failures) == {"503"}


def test_stop_answers_all_that_has_been_accepted(serve_two, load):
    server = serve_two()
    with load(server.port) as seen:
        under_load()
        server.popen.terminate()
        assert server.end()[0] == 0

    assert set(seen.lost) <= {"ConnectionRefusedError"}, seen  # nothing was reset or cut
    assert not seen.wrong
    assert set(seen.statuses) == {200}


def test_frozen_worker_holds_up_no_other_and_loses_nothing(serve_two, front, load):
    server = serve_two()
    port = front(server)
    with load(port) as seen:
        under_load()
        frozen = server.workers()[0]
        os.kill(frozen, signal.SIGSTOP)
        time.sleep(FROZEN_S)
        os.kill(frozen, signal.SIGCONT)
        under_load()

    seen.assert_nothing_lost()
    # What the frozen worker had accepted, or a proxy sends it over a kept connection, has to wait.
    seen.assert_healthy(percent=90)


def test_worker_that_stays_frozen_is_replaced_and_only_loses_what_it_held(serve_two, load):
    server = serve_two("--timeout", "2")
    with load(server.port) as seen:
        under_load()
        frozen = server.workers()[0]
        held = connections([frozen], server.port)[frozen]
        os.kill(frozen, signal.SIGSTOP)
        wait_for(lambda: frozen not in server.workers(), "the frozen worker to be ended")
        wait_for(lambda: len(server.workers()) == 2, "another worker")
        under_load()

    seen.assert_nothing_lost(most_lost=min(held, CLIENTS))


def test_killed_worker_only_loses_what_it_held(serve_two, front, load):
    server = serve_two()
    port = front(server)
    most_lost = 0
    with load(port) as seen:
        under_load()
        for _ in range(2):
            killed = server.workers()[0]
            most_lost += min(connections([killed], server.port)[killed], CLIENTS)
            os.kill(killed, signal.SIGKILL)
            wait_for(lambda killed=killed: killed not in server.workers(), "its end")
            wait_for(lambda: len(server.workers()) == 2, "another worker")
            under_load()

    seen.assert_nothing_lost(most_lost=most_lost)


def test_new_champions_lose_nothing_and_mix_nothing(serve_two, front, load, model):
    server = serve_two(FRAUDSCORE_MODEL_POLL_SECONDS="0.1")
    port = front(server)
    footprint = Footprint(server)
    try:
        with load(port) as seen:
            for number in islice(cycle((1, 0)), SWAPS):
                time.sleep(SWAP_EVERY_S)
                model.promote(number)
            under_load()
    finally:
        model.promote(0)

    seen.assert_nothing_lost()
    seen.assert_healthy()
    assert set(seen.versions) == {artifact.version for artifact in model.versions}
    footprint.assert_not_larger()
