"""Whatever the master cannot have for a while, the workers that serve go on."""

import contextlib
import errno
import os
import resource
import signal
import socket
import subprocess
from pathlib import Path

import gunicorn.arbiter
import pytest
from gunicorn.arbiter import Arbiter

from app.worker.master import Master
from tests.app.gunicorn import Process, wait_for
from tests.app.ports import free_port
from tests.app.shortage import LIMITS, arguments, shortage
from tests.factories import valid_row

SHORT = "a worker is missing and is tried again"
COMPLETE = "no worker is missing any more"


def logged(server, message):
    """Return the log lines with a message, so far."""
    return [line for line in server.log() if line["message"] == message]


def told(server, message, before):
    """Wait until a message was logged since then; return how often it was."""
    wait_for(lambda: len(logged(server, message)) > before, message)
    return len(logged(server, message)) - before


def scrape(server, name):
    """Return a number of /metrics."""
    lines = server.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def serves(server):
    """Return whether the service scores."""
    return server.post("/predict", valid_row()).status_code == 200


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    """Return the folder that switches faults on."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def pair(serve_for_long, faults):
    """Return a service of two workers that faults can happen to."""
    return serve_for_long(*arguments(faults), WEB_CONCURRENCY="2")


@pytest.fixture
def complete(pair):
    """Return it once both workers serve."""
    wait_for(lambda: len(pair.workers()) == 2 and scrape(pair, "fraud_workers") == 2, "both")
    return pair


@pytest.mark.parametrize("name", LIMITS)
def test_worker_that_cannot_be_replaced_leaves_the_other_serving(complete, faults, name):
    server = complete
    short, whole = (len(logged(server, message)) for message in (SHORT, COMPLETE))
    failed = scrape(server, "fraud_worker_starts_failed_total")
    lost, kept = server.workers()

    with shortage(faults, name):
        os.kill(lost, signal.SIGKILL)
        told(server, SHORT, short)
        wait_for(lambda: scrape(server, "fraud_worker_starts_failed_total") > failed + 1, "again")
        assert serves(server)
        assert kept in server.workers()
        assert scrape(server, "fraud_workers_missing") == 1

    assert told(server, COMPLETE, whole) == 1
    assert len(logged(server, SHORT)) == short + 1
    assert kept in server.workers()
    assert len(server.workers()) == 2
    wait_for(lambda: scrape(server, "fraud_workers_missing") == 0, "none missing")


@pytest.mark.parametrize("name", ["fork-EAGAIN", "thread", "exit-4"])
def test_reload_ends_no_worker_before_the_new_ones_serve(complete, faults, name):
    server = complete
    short = len(logged(server, SHORT))
    old = set(server.workers())

    with shortage(faults, name):
        server.popen.send_signal(signal.SIGHUP)
        told(server, SHORT, short)
        failed = scrape(server, "fraud_worker_starts_failed_total")
        wait_for(lambda: scrape(server, "fraud_worker_starts_failed_total") > failed + 1, "again")
        assert serves(server)
        assert old <= set(server.workers())

    wait_for(lambda: len(set(server.workers()) - old) == 2 == len(server.workers()), "new workers")
    assert serves(server)
    assert len(logged(server, SHORT)) == short + 1


@pytest.mark.parametrize("name", ["fork-EAGAIN", "exec-ENOENT"])
def test_upgrade_that_fails_leaves_everything_as_it_was(complete, faults, name):
    server = complete
    before = len(logged(server, "no second master"))
    workers = server.workers()

    with shortage(faults, name):
        server.popen.send_signal(signal.SIGUSR2)
        told(server, "no second master", before)
        wait_for(lambda: server.workers() == workers, "the end of the second master")

    assert serves(server)


def test_reload_of_a_configuration_that_cannot_be_read_changes_nothing(complete, faults):
    server = complete
    workers = server.workers()
    path = faults / "shortage.conf.py"
    sound = path.read_text()

    taken = f"{sound}\nbind = '192.0.2.1:1'\n"  # an address that this machine does not have
    for content in ("this is no Python", "raise SystemExit('cannot start: …')", taken, None):
        before = len(logged(server, "not reloaded: the service goes on as it was"))
        path.write_text(content) if content else path.unlink()
        server.popen.send_signal(signal.SIGHUP)
        told(server, "not reloaded: the service goes on as it was", before)
        assert serves(server)
        assert server.workers() == workers

    path.write_text(sound)
    server.popen.send_signal(signal.SIGHUP)
    wait_for(lambda: len(server.workers()) == 2 and not {*workers} & {*server.workers()}, "new")
    assert serves(server)


def test_reload_may_change_the_address(serve, tmp_path):
    path = tmp_path / "moving.conf.py"
    path.write_text("exec(open('gunicorn.conf.py').read())\n")
    server = serve("-c", str(path))
    other = free_port()

    path.write_text(f"{path.read_text()}bind = '127.0.0.1:{other}'\n")
    server.popen.send_signal(signal.SIGHUP)
    server.url = f"http://127.0.0.1:{other}"

    wait_for(lambda: serves(server), "an answer at the new address")
    wait_for(lambda: not accepts(server.port), "the end of the old one")


def accepts(port):
    """Return whether somebody listens."""
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def test_master_without_descriptors_goes_on(complete):
    server = complete
    short, whole = (len(logged(server, message)) for message in (SHORT, COMPLETE))
    lost, kept = server.workers()
    limits = resource.prlimit(server.popen.pid, resource.RLIMIT_NOFILE)

    resource.prlimit(server.popen.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    os.kill(lost, signal.SIGKILL)
    told(server, SHORT, short)
    server.popen.send_signal(signal.SIGHUP)  # reads files, too
    wait_for(lambda: server.log()[-1]["message"] != "Hang up: Master", "what it came to")
    assert serves(server)
    assert kept in server.workers()
    resource.prlimit(server.popen.pid, resource.RLIMIT_NOFILE, limits)

    told(server, COMPLETE, whole)
    assert logged(server, SHORT)[-1]["reason"].endswith("Too many open files")


@contextlib.contextmanager
def limited_processes(pid, most):
    """Put a process into a group of the kernel that gets so many processes and threads at most."""
    group = Path(f"/sys/fs/cgroup/pids/fraudscore-test-{pid}")
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no group for a limit of processes: {error.strerror}")
    own = Path("/sys/fs/cgroup/pids/cgroup.procs")
    try:
        (group / "cgroup.procs").write_text(str(pid))
        (group / "pids.max").write_text(str(most))
        yield
    finally:
        own.write_text(str(pid))
        for child in (group / "cgroup.procs").read_text().split():
            own.write_text(child)
        group.rmdir()


@pytest.mark.parametrize(
    ("most", "reason"),
    [(1, os.strerror(errno.EAGAIN)), (2, "it ended before it served")],
    ids=["no process", "a process without threads"],
)
def test_limit_of_the_kernel_on_processes_is_outlived(complete, most, reason):
    server = complete
    short, whole = (len(logged(server, message)) for message in (SHORT, COMPLETE))

    with limited_processes(server.popen.pid, most):
        os.kill(server.workers()[0], signal.SIGKILL)
        told(server, SHORT, short)
        assert serves(server)
        assert logged(server, SHORT)[-1]["reason"] == reason

    told(server, COMPLETE, whole)


@pytest.fixture
def tiny_disk(tmp_path):
    """Return a file system in memory with room for two files."""
    path = tmp_path / "tiny"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=3", "tmpfs", str(path)]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting is not allowed here")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)  # noqa: S603, S607


def test_folder_for_signs_of_life_without_inodes_is_replaced_by_the_run_directory(serve, tiny_disk):
    server = serve("--worker-tmp-dir", str(tiny_disk))
    with contextlib.suppress(OSError):  # until it is full
        for number in range(10):
            (tiny_disk / str(number)).touch()

    server.popen.send_signal(signal.SIGTTIN)  # one worker more

    told(server, "no file in the folder for signs of life", 0)
    wait_for(lambda: scrape(server, "fraud_workers") == 2, "a second worker")
    (line,) = logged(server, "no file in the folder for signs of life")
    assert line["folder"] == str(tiny_disk)
    assert line["reason"].endswith("No space left on device")
    assert not logged(server, SHORT)


def test_folder_for_signs_of_life_may_be_missing(serve, tmp_path):
    server = serve("--worker-tmp-dir", str(tmp_path / "missing"))

    assert len(logged(server, "no file in the folder for signs of life")) == 1
    assert serves(server)


@pytest.mark.parametrize("name", ["fork-EAGAIN", "mkstemp-ENOSPC", "thread", "exit-4", "kill"])
def test_start_at_which_no_worker_can_be_had_ends(model_dir, tmp_path, name):
    with (
        shortage(tmp_path, name),
        contextlib.closing(Process(model_dir, *arguments(tmp_path))) as process,
    ):
        code, _, errors = process.end()

    assert code in (Arbiter.WORKER_BOOT_ERROR, Arbiter.APP_LOAD_ERROR)
    assert len(errors) == (name != "exit-4")
    assert not any("Traceback" in line for line in errors)


def test_worker_that_never_begins_is_ended(serve, tmp_path):
    path = tmp_path / "hang.conf.py"
    path.write_text(
        "exec(open('gunicorn.conf.py').read())\n"
        "import time\n"
        "from pathlib import Path\n"
        "from app.worker import master\n"
        "master.LONGEST_START_S = 0.5\n"
        "timeout = 1\n"
        "_begin = post_worker_init\n"
        "def post_worker_init(worker):\n"
        f"    while Path({str(tmp_path / 'hang')!r}).exists():\n"
        "        time.sleep(0.05)\n"
        "    _begin(worker)\n"
    )
    server = serve("-c", str(path), WEB_CONCURRENCY="2")
    wait_for(lambda: scrape(server, "fraud_workers") == 2, "both")

    (tmp_path / "hang").touch()
    os.kill(server.workers()[0], signal.SIGKILL)
    told(server, SHORT, 0)
    assert serves(server)
    (tmp_path / "hang").unlink()

    told(server, COMPLETE, 0)


def test_gunicorn_divides_its_work_as_the_master_expects():
    """What is overridden exists, and is what the loop calls; the rest is tried with processes."""
    loop = Arbiter.run.__code__.co_names
    assert {"manage_workers", "murder_workers", "maybe_promote_master"} <= set(loop)
    assert {"setup", "spawn_worker", "manage_workers"} <= set(Arbiter.reload.__code__.co_names)
    assert "WORKERS" in Arbiter.reload.__code__.co_names
    inherited = {name for name in vars(Master) if callable(vars(Master)[name])}
    new = {"take_over", "note_trouble"}
    ours = {name for name in inherited if name.startswith("_")}
    assert inherited - new - ours <= set(vars(Arbiter))
    assert issubclass(gunicorn.arbiter.HaltServer, BaseException)
    assert not issubclass(gunicorn.arbiter.HaltServer, Exception)
