"""Atomic writing: the old content or the new, whatever fails in between."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from model.files import read_regular, write_atomically

ROOT = Path(__file__).resolve().parents[2]


def names_in(folder):
    """Return the names of all files, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def fails_with(number):
    """Return a function that fails as the system call would."""

    def fail(*_arguments, **_options):
        raise OSError(number, os.strerror(number))

    return fail


def test_content_is_written_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "new" / "folder" / "file"

    write_atomically(path, b"content")
    write_atomically(path, b"more")

    assert path.read_bytes() == b"more"
    assert names_in(path.parent) == ["file"]


def test_symbolic_link_stays_one(tmp_path):
    target = tmp_path / "there" / "file"
    (tmp_path / "link").symlink_to(target)

    write_atomically(tmp_path / "link", b"new")

    assert (tmp_path / "link").is_symlink()
    assert target.read_bytes() == b"new"
    assert sorted(tmp_path.iterdir()) == [tmp_path / "link", tmp_path / "there"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_old_content_survives_a_failing_system_call(call, number, tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    monkeypatch.setattr(os, call, fails_with(number))
    with pytest.raises(OSError, match=r".+") as caught:
        write_atomically(path, b"new")

    assert caught.value.errno == number
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(_file):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"new")

    assert names_in(tmp_path) == []


def test_content_is_on_disk_before_it_has_its_name(tmp_path, monkeypatch):
    """Flushed, renamed, and then the folder flushed: in this order a power cut does no harm."""
    calls, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (calls.append("fsync"), fsync(number)))
    monkeypatch.setattr(os, "replace", lambda *paths: (calls.append("replace"), replace(*paths)))

    write_atomically(tmp_path / "file", b"content")

    assert calls == ["fsync", "replace", "fsync"]


def test_disk_that_is_really_full_leaves_the_old_content(tmp_path):
    """A process that may write 4 KiB a file and no more meets the error from the system itself."""
    path = tmp_path / "file"
    write_atomically(path, b"old")
    code = (
        "import pathlib, resource, signal, sys\n"
        "from model.files import write_atomically\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (4096, {resource.RLIM_INFINITY}))\n"
        "try:\n"
        "    write_atomically(pathlib.Path(sys.argv[1]), bytes(100_000))\n"
        "except OSError as error:\n"
        "    sys.exit(error.errno)\n"
    )

    ended = subprocess.run(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-c", code, str(path)], cwd=ROOT, check=False
    )

    assert ended.returncode == errno.EFBIG
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_regular_file_is_read_whole_up_to_a_limit(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    (tmp_path / "link").symlink_to("file")

    assert read_regular(path, 1000) == read_regular(tmp_path / "link", 1000) == b"x" * 1000
    with pytest.raises(OSError, match="larger than 999 bytes"):
        read_regular(path, 999)


@pytest.mark.parametrize("name", ["pipe", "folder", "device"])
def test_what_is_no_regular_file_is_never_opened(tmp_path, name, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "device").symlink_to("/dev/null")
    monkeypatch.setattr(os, "open", fails_with(errno.EIO))

    with pytest.raises(OSError, match=r"it is a .+, not a regular file") as caught:
        read_regular(tmp_path / name, 1000)

    assert name.replace("pipe", "named pipe") in caught.value.strerror


def test_pipe_that_takes_the_place_of_a_file_holds_nobody_up(tmp_path, monkeypatch):
    """Between the look and the opening."""
    path = tmp_path / "file"
    os.mkfifo(path)
    regular = Path(__file__).stat()
    monkeypatch.setattr(os, "stat", lambda _path: regular)

    with pytest.raises(OSError, match="it is a named pipe"):
        read_regular(path, 1000)
