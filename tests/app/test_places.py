"""The service starts where standard streams, folders or file systems are not what is usual."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.app.gunicorn import Process, Server, wait_for
from tests.factories import valid_row


class WithoutStreams(Server):
    """Started as some supervisors do it: with nothing at the numbers of the standard streams."""

    def command(self, *arguments):
        closed = 'exec "$@" <&- >&- 2>&-'
        return ["/bin/sh", "-c", closed, "sh", *super().command(*arguments)]


def streams(pid):
    """Return what a process has at the numbers of the standard streams."""
    return [os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)]


def children(pid):
    """Return the processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are read from /proc")
def test_closed_standard_streams_are_never_taken_by_files_of_the_service(model_dir):
    nothing = ["/dev/null"] * 3

    with contextlib.closing(WithoutStreams(model_dir)) as server:
        master = server.popen.pid
        wait_for(lambda: server.get("/health").ok, "an answer")
        (worker,) = server.workers()
        assert [streams(master), streams(worker)] == [nothing, nothing]
        assert server.post("/predict", valid_row()).status_code == 200

        server.popen.send_signal(signal.SIGHUP)
        wait_for(lambda: len(server.workers()) == 1 and server.workers() != [worker], "a new one")
        assert [streams(pid) for pid in server.workers()] == [nothing]

        old = set(server.workers())
        server.popen.send_signal(signal.SIGUSR2)
        (upgraded,) = wait_for(lambda: set(server.workers()) - old, "a second master")
        wait_for(lambda: children(upgraded), "its worker")
        assert [streams(pid) for pid in (upgraded, *children(upgraded))] == [nothing, nothing]


class ReadOnly(Process):
    """Started where no file system can be written to, but for one folder in memory."""

    def command(self, *arguments):
        script = (
            "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt &&"
            " mount --bind /dev/shm /dev/shm && mount -o remount,bind,ro /dev/shm &&"
            ' mount -o remount,bind,ro / && exec "$@"'
        )
        return ["unshare", "--mount", "sh", "-c", script, "sh", *super().command(*arguments)]


@pytest.fixture(scope="module")
def _mounts():
    """Skip where mounting is not allowed."""
    command = ["unshare", "--mount", "mount", "--make-rprivate", "/"]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system of one's own is not allowed here")


class ReadOnlyServer(ReadOnly, Server):
    """The same, to be talked to."""


@pytest.mark.usefixtures("_mounts")
def test_service_runs_where_only_the_run_directory_can_be_written(model_dir):
    places = {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "FRAUDSCORE_RUN_DIR": "/mnt/run"}

    with contextlib.closing(ReadOnlyServer(model_dir, **places)) as server:
        wait_for(lambda: server.popen.poll() is not None or server.get("/health").ok, "an answer")
        assert server.post("/predict", valid_row()).status_code == 200
        assert "fraud_workers 1" in server.get("/metrics").text
        (line,) = [line for line in server.log() if line["level"] == "warning"]
        assert (line["folder"], line["instead"]) == ("/dev/shm", "/mnt/run")  # noqa: S108
        assert line["reason"].endswith("Read-only file system")
        server.popen.terminate()
        code, _, errors = server.end()

    assert (code, errors) == (0, [])


@pytest.mark.usefixtures("_mounts")
@pytest.mark.parametrize(
    ("folder", "reason"),
    [("/srv", "Read-only file system"), ("/nonexistent", "No such file or directory")],
)
def test_start_without_a_folder_to_write_to_ends_in_one_line(model_dir, folder, reason):
    with contextlib.closing(ReadOnly(model_dir, TMPDIR=folder)) as process:
        code, _, errors = process.end()

    path = f"{folder}/fraudscore-{process.port}"
    assert code == 1
    assert errors == [
        f"fraudscore cannot start: FRAUDSCORE_RUN_DIR: {path} cannot be used: {reason}"
    ]
