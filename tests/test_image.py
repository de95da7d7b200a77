"""The image, built and run as production runs it: another user, nothing writable but /tmp."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tests.app.gunicorn import DEADLINE_S
from tests.app.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
WITHOUT_ENGINE = ROOT.parent / "shared" / "container" / "check.sh"

pytestmark = pytest.mark.image


def run(*command, **options):
    """Run a command and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **options)  # noqa: S603
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def engine_that_works():
    """Return the name of a container engine that answers here, None where there is none."""
    for name in ("docker", "podman"):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            if subprocess.run([name, "info"], capture_output=True, timeout=20).returncode == 0:  # noqa: S603
                return name
    return None


@pytest.fixture(scope="module")
def engine():
    """Return the container engine of this machine."""
    name = engine_that_works()
    if name is None:
        pytest.skip("no Docker and no Podman answers here")
    return name


@pytest.fixture
def container(engine):
    """Return a running container of a freshly built image, without any privilege."""
    tag, name = f"fraudscore-test:{uuid4().hex}", f"fraudscore-test-{uuid4().hex}"
    run(engine, "build", "--tag", tag, ".")
    limits = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]  # noqa: S108 (in the container)
    try:
        run(engine, "run", "--detach", "--name", name, *limits, tag)
        yield name
    finally:
        subprocess.run([engine, "rm", "--force", name], capture_output=True)  # noqa: S603
        subprocess.run([engine, "rmi", "--force", tag], capture_output=True)  # noqa: S603


def test_image_serves_as_another_user_with_a_read_only_root(engine, container):
    def inside(*command):
        return run(engine, "exec", container, *command)

    (image,) = json.loads(run(engine, "inspect", container))
    check = image["Config"]["Healthcheck"]["Test"][1:]
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        probe = subprocess.run([engine, "exec", container, *check], capture_output=True)  # noqa: S603
        if probe.returncode == 0:
            break

    assert probe.returncode == 0
    assert inside("id", "-u").strip() != "0"
    with pytest.raises(AssertionError, match="Read-only file system"):
        inside("touch", "/srv/fraudscore/written")


def test_image_serves_where_no_engine_runs():
    """The same without a daemon: the root file system is unpacked and entered."""
    if engine_that_works() is not None:
        pytest.skip("an engine runs here, which shows more")
    if not WITHOUT_ENGINE.exists():
        pytest.skip("no Docker and no Podman answers here")
    if shutil.which("unshare") is None:
        pytest.skip("unshare is needed")

    with contextlib.closing(Checked(free_port())) as checked:
        code, printed = checked.end()

    assert code == 0, printed
    assert "user in image: 10001" in printed
    assert "healthcheck-ok" in printed
    assert '"status":"ok"' in printed


class Checked:
    """The script at work; it may leave processes behind, which share its group."""

    def __init__(self, port):
        self.popen = subprocess.Popen(  # noqa: S603 (ours)
            ["bash", WITHOUT_ENGINE, ROOT, str(port)],  # noqa: S607 (whichever bash there is)
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def end(self):
        """Wait for the script; return its exit code and what it printed."""
        lines = list(iter(self.popen.stdout.readline, ""))
        return self.popen.wait(), "".join(lines)

    def close(self):
        """End what is left of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        self.popen.stdout.close()
