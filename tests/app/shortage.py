"""A service in which something cannot be had while a file of that name lies in a folder."""

import contextlib
import errno
import os
import sys
import tempfile
import threading
from pathlib import Path

LIMITS = {
    "fork-EAGAIN": "no process",
    "fork-ENOMEM": "no memory for one",
    "mkstemp-ENOSPC": "no inode for the sign of life",
    "mkstemp-EMFILE": "no descriptor for it",
    "mkstemp-EROFS": "a file system that became read-only",
    "thread": "no thread in a worker",
    "exit-4": "an application that fails to load",
    "exit-255": "any other end before the first sign of life",
    "kill": "a worker that is killed while it begins",
    "pre_fork": "a hook that fails",
}


def arguments(folder):
    """Return the arguments for Gunicorn with faults that a folder switches on, and short pauses."""
    path = folder / "shortage.conf.py"
    path.write_text(
        "exec(open('gunicorn.conf.py').read())\n"
        "from pathlib import Path\n"
        "from app.worker import master\n"
        "from tests.app import shortage\n"
        "master.SHORTEST_PAUSE_S = 0.05\n"
        "master.LONGEST_PAUSE_S = 0.2\n"
        f"_folder = Path({str(folder)!r})\n"
        "shortage.inject(_folder)\n"
        "_post_fork = post_fork\n"
        "def post_fork(server, worker):\n"
        "    _post_fork(server, worker)\n"
        "    shortage.end_early(_folder)\n"
        "def pre_fork(server, worker):\n"
        "    if (_folder / 'pre_fork').exists():\n"
        "        raise RuntimeError('a hook fails')\n"
    )
    return "-c", str(path)


@contextlib.contextmanager
def shortage(folder, name):
    """Let something be short for a while."""
    (folder / name).touch()
    try:
        yield
    finally:
        (folder / name).unlink()


def inject(folder):
    """Make calls of the operating system fail on demand, in this process and its children."""
    if getattr(os.fork, "is_faulty", False):  # the configuration is read again by a reload
        return
    os.fork = _failing(os.fork, folder, "fork")
    tempfile.mkstemp = _failing(tempfile.mkstemp, folder, "mkstemp")
    os.execvpe = _failing(os.execvpe, folder, "exec")
    start = threading.Thread.start

    def start_or_fail(thread):
        if (folder / "thread").exists():
            raise RuntimeError("can't start new thread")
        start(thread)

    threading.Thread.start = start_or_fail


def end_early(folder):
    """End a new worker before it shows a sign of life."""
    for path in folder.glob("exit-*"):
        sys.exit(int(path.name.partition("-")[2]))
    if (folder / "kill").exists():
        os.kill(os.getpid(), 9)


def _failing(call, folder, name):
    """Return a call that fails with the error that a file's name asks for."""

    def fail_or_call(*args, **kwargs):
        for path in Path(folder).glob(f"{name}-*"):
            number = getattr(errno, path.name.partition("-")[2])
            raise OSError(number, os.strerror(number))
        return call(*args, **kwargs)

    fail_or_call.is_faulty = True
    return fail_or_call
