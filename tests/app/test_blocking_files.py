"""Files that hold their readers up, such as a pipe or one on a broken disk, hold up no request."""

import contextlib
import logging
import os
import signal
import socket
import threading

import pytest

from app import store as stores
from app.access import keys as keys_module
from app.access.keys import APIKey, KeyRing, write_keys
from app.patience import within
from app.store import ModelStore
from app.watch import watch
from model.errors import FraudscoreError
from model.pointer import FILE_NAME
from tests.app.champions import point_to
from tests.app.gunicorn import Process, wait_for
from tests.factories import save_tiny, valid_row

OFTEN = {"FRAUDSCORE_MODEL_POLL_SECONDS": "0.05"}


def pipe(path):
    os.mkfifo(path)


def folder(path):
    path.mkdir()


def listening(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def device(path):
    path.symlink_to("/dev/zero")


def link_to_a_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


KINDS = [pipe, folder, listening, device, link_to_a_pipe]


@pytest.fixture
def artifact(tmp_path):
    """Return a champion in a folder of its own, there to be damaged."""
    found = save_tiny(tmp_path / "tiny", seed=0)
    point_to(found)
    return found


@pytest.mark.parametrize("place", KINDS)
@pytest.mark.parametrize("what", ["pointer", "artifact"])
def test_what_is_no_regular_file_is_refused_at_once(artifact, place, what):
    path = artifact.path if what == "artifact" else artifact.path.with_name(FILE_NAME)
    path.unlink()
    with contextlib.chdir(path.parent):  # the name of a socket may not be long
        place(path.relative_to(path.parent))

    with pytest.raises(FraudscoreError, match=r"it is an? .+, not a regular file") as caught:
        within(60, lambda: ModelStore(artifact.path.parent, 100))

    assert str(path) in str(caught.value)


def test_start_on_a_pipe_ends_in_one_line(artifact):
    path = artifact.path.with_name(FILE_NAME)
    path.unlink()
    os.mkfifo(path)

    with contextlib.closing(Process(artifact.path.parent)) as process:
        code, _, errors = process.end()

    assert code == 4
    assert errors == [
        f"fraudscore cannot start: {path}: cannot be read: it is a named pipe, not a regular file"
    ]


def replace_workers(server):
    """Kill all workers and wait until their successors answer."""
    killed = set(server.workers())
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(set(server.workers()) - killed) == len(killed), "new workers")
    return wait_for(lambda: server.get("/health"), "an answer").json()


def test_workers_begin_and_serve_while_the_pointer_is_a_pipe(serve, artifact):
    server = serve(directory=artifact.path.parent, WEB_CONCURRENCY="2", **OFTEN)
    path = artifact.path.with_name(FILE_NAME)
    path.unlink()
    os.mkfifo(path)

    health = replace_workers(server)
    assert (health["status"], health["model"]["version"]) == ("degraded", artifact.version)
    assert server.post("/predict", valid_row()).status_code == 200

    path.unlink()
    point_to(artifact)
    wait_for(lambda: server.get("/health").json()["status"] == "ok", "the champion")


def hanging(tmp_path, **constants):
    """Return the arguments for a configuration in which files hang while one lies in a folder."""
    path = tmp_path / "hanging.conf.py"
    changes = "".join(f"{name.replace('__', '.')} = {value}\n" for name, value in constants.items())
    path.write_text(
        "exec(open('gunicorn.conf.py').read())\n"
        "import time\n"
        "import app.store\n"
        "import model.pointer\n"
        "from pathlib import Path\n"
        f"{changes}"
        "_read = model.pointer.read_regular\n"
        "def _hang(*arguments):\n"
        f"    while Path({str(tmp_path / 'hang')!r}).exists():\n"
        "        time.sleep(0.01)\n"
        "    return _read(*arguments)\n"
        "model.pointer.read_regular = _hang\n"
    )
    return "-c", str(path)


def test_start_on_a_disk_that_hangs_ends_in_one_line(model_dir, tmp_path):
    (tmp_path / "hang").touch()

    with contextlib.closing(
        Process(model_dir, *hanging(tmp_path, app__START_SECONDS=0.2))
    ) as process:
        code, _, errors = process.end()

    assert code == 4
    (line,) = errors
    assert line == (
        "fraudscore cannot start: the model, or another file, has not been read within 0.2 s"
    )


def test_workers_begin_and_serve_while_the_disk_of_the_model_hangs(serve, tmp_path):
    arguments = hanging(tmp_path, app__store__PATIENCE_SECONDS=0.2)
    server = serve(*arguments, WEB_CONCURRENCY="2", **OFTEN)
    late, back = "champion cannot be looked at", "champion can be looked at again"

    def told(message):
        return sum(line["message"] == message for line in server.log())

    (tmp_path / "hang").touch()
    wait_for(lambda: server.get("/health").json()["status"] == "degraded", "it shows")
    wait_for(lambda: told(late) == 2, "both workers to tell")
    health = replace_workers(server)
    assert health["status"] == "degraded"
    assert server.post("/predict", valid_row()).status_code == 200
    assert "fraud_workers_degraded 2" in server.get("/metrics").text
    wait_for(lambda: told(late) == 4, "both new workers to tell")

    (tmp_path / "hang").unlink()
    wait_for(lambda: server.get("/health").json()["status"] == "ok", "the champion")
    wait_for(lambda: told(back) == 2, "both to tell")
    assert told(late) == 4


@pytest.fixture
def hang(monkeypatch):
    """Return an event until which pointers cannot be read, once a store has been made."""
    ends = threading.Event()
    read = stores.read_pointer

    def read_then(*arguments):
        ends.wait()
        return read(*arguments)

    def begin():
        monkeypatch.setattr(stores, "read_pointer", read_then)
        monkeypatch.setattr(stores, "PATIENCE_SECONDS", 0.02)
        return ends

    yield begin
    ends.set()


def test_look_that_takes_too_long_shows_and_is_told_once(artifact, hang, caplog):
    caplog.set_level(logging.INFO, "app")
    store = ModelStore(artifact.path.parent, 100)
    ends = hang()

    watch(store, 3600)
    status = store.status()
    for _ in range(3):
        store.tell_delay()
    ends.set()
    wait_for(lambda: store.status()["status"] == "ok", "the end")
    store.tell_delay()

    assert status["status"] == "degraded"
    assert status["refused_version"] is None
    assert status["model"]["version"] == artifact.version
    messages = [message for message in caplog.messages if "be looked at" in message]
    assert messages == ["champion cannot be looked at", "champion can be looked at again"]


def test_worker_without_a_thread_for_the_champion_does_not_begin(artifact, monkeypatch):
    store = ModelStore(artifact.path.parent, 100)

    def fail(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)

    with pytest.raises(RuntimeError):
        watch(store, 3600)


def test_keys_file_that_hangs_holds_nobody_up(tmp_path, monkeypatch):
    path = tmp_path / "keys.json"
    key, secret = APIKey.generate("checkout")
    write_keys(path, (key,))
    ring = KeyRing(path)
    ends = threading.Event()
    signature = ring._signature
    monkeypatch.setattr(ring, "_signature", lambda: ends.wait() and signature())
    monkeypatch.setattr(keys_module, "LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr(ring, "_look_again", 0.0)

    assert ring.name_of(secret) == "checkout"
    assert "has not been read yet" in ring.problem
    assert ring.name_of(secret) == "checkout"

    ends.set()
    wait_for(lambda: ring.problem is None, "the end of the look")


def test_keys_file_that_is_a_pipe_leaves_the_last_good_keys_in_force(tmp_path, monkeypatch):
    path = tmp_path / "keys.json"
    key, secret = APIKey.generate("checkout")
    write_keys(path, (key,))
    ring = KeyRing(path)
    monkeypatch.setattr(keys_module, "LOOK_S", 60)
    monkeypatch.setattr(ring, "_look_again", 0.0)
    path.unlink()
    os.mkfifo(path)

    assert ring.name_of(secret) == "checkout"
    assert ring.problem.endswith("it is a named pipe, not a regular file")


def test_work_that_fails_in_time_fails_as_it_would_here():
    def fail():
        raise FileNotFoundError("gone")

    with pytest.raises(FileNotFoundError, match="gone"):
        within(60, fail)


def test_work_without_a_thread_is_done_here(monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert within(60, threading.get_ident) == threading.get_ident()
