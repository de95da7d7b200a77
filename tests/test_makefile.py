"""``make`` does what the README says, whatever the environment is called and wherever it is."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.gunicorn import DEADLINE_S, ROOT, Server, wait_for
from tests.factories import write_tiny_artifact

MAKE = shutil.which("make")
BIN = Path(sys.executable).parent
INSTALLED = [part for name in ("serve", "train", "dev") for part in ("-o", f".venv/.{name}")]

pytestmark = pytest.mark.skipif(MAKE is None, reason="there is no make here")


class MadeServer(Server):
    """The service as ``make serve`` starts it; ``popen`` is make."""

    def command(self, *arguments):
        return [MAKE, *INSTALLED, f"BIN={BIN}", "serve", *arguments]

    def alive(self):
        """Return the processes of make's group that have not ended."""
        found = []
        for file in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has just ended
                state, _, group = file.read_text().rpartition(")")[2].split()[:3]
                if int(group) == self.popen.pid and state != "Z":
                    found.append(int(file.parent.name))
        return found


@pytest.fixture
def made(tmp_path):
    """Return a service that make has started, ready."""
    write_tiny_artifact(tmp_path / "tiny")
    with contextlib.closing(MadeServer(tmp_path / "tiny")) as server:
        wait_for(lambda: server.popen.poll() is not None or server.get("/health").ok, "ready")
        assert server.popen.poll() is None, server.end()
        yield server


def can_tell_of_a_killed_parent():
    """Return whether the system has a program that asks the kernel for it."""
    with contextlib.suppress(OSError):
        command = ["setpriv", "--pdeathsig", "TERM", "true"]
        return subprocess.run(command, capture_output=True).returncode == 0  # noqa: S603
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
def test_ending_make_ends_the_service(made, number):
    if number == signal.SIGKILL and not can_tell_of_a_killed_parent():
        pytest.skip("there is no setpriv --pdeathsig here")
    assert len(made.alive()) == 3  # make, the master, a worker

    os.kill(made.popen.pid, number)

    made.popen.wait(timeout=DEADLINE_S)
    wait_for(lambda: not made.alive(), "no process is left")


def dry_run(*arguments, **environ):
    """Return the commands that make would run."""
    return subprocess.run(  # noqa: S603
        [MAKE, "-n", *INSTALLED, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_the_environment_chooses_no_data_and_no_model():
    variables = ("DATA", "MODEL", "OPTIONS", "JSON", "TRANSACTION", "NAME", "BIN", "VENV")
    meddling = dict.fromkeys(variables, "meant-for-something-else")

    for target in ("serve", "train", "explore", "predict"):
        assert dry_run(target, **meddling) == dry_run(target)


def test_the_command_line_chooses_them():
    train = dry_run("train", "DATA=a table.csv", "OPTIONS=--name mine")
    predict = dry_run("predict", "MODEL=mine", "JSON=a file.json")

    assert train.endswith('-m training train --data "a table.csv" --name mine')
    assert predict.endswith('-m training predict --model artifacts/mine --json "a file.json"')


@pytest.mark.parametrize(
    ("target", "locks"),
    [
        ("serve", ["serve"]),
        ("train", ["serve", "train"]),
        ("test", ["serve", "train", "dev"]),
        ("bench", ["serve", "train", "dev", "bench"]),
    ],
)
def test_a_target_installs_what_it_needs_and_no_more(target, locks, tmp_path):
    """Told from a folder where nothing is installed yet."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")

    commands = subprocess.run(  # noqa: S603
        [MAKE, "-n", "-C", tmp_path, target], capture_output=True, text=True, check=True
    ).stdout

    assert [word for word in locks if f"-r requirements/{word}.lock" in commands] == locks
    assert commands.count("--require-hashes") == len(locks)
    assert commands.count("-m venv") == 1
    assert commands.count("this once") == len(locks)


def test_variables_of_python_and_pip_do_not_reach_them(tmp_path):
    """Show the environment of a command of make's instead of running it."""
    folder = tmp_path / "with a space"
    folder.mkdir()
    python = folder / "python"
    python.write_text("#!/bin/sh\nenv\n")
    python.chmod(0o755)
    unwanted = {"PYTHONPATH": "x", "PYTHONHOME": "x", "PYTHONSAFEPATH": "1", "PIP_USER": "1"}
    unwanted |= {"PIP_TARGET": "x", "PIP_REQUIRE_VIRTUALENV": "1", "PIP_CONSTRAINT": "x"}
    kept = {"PIP_INDEX_URL": "https://index.invalid/simple", "PIP_CERT": "y"}

    shown = subprocess.run(  # noqa: S603
        [MAKE, "-C", folder, "-f", ROOT / "Makefile", *INSTALLED, "BIN=.", "train"],
        env={"PATH": os.environ["PATH"]} | unwanted | kept,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    names = {line.partition("=")[0] for line in shown.splitlines()}
    assert kept.keys() <= names
    assert not unwanted.keys() & names
