"""The service as production runs it, for tests: Gunicorn processes and ways to talk to them."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from tests.app.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = str(Path(sys.executable).with_name("gunicorn"))
DEADLINE_S = 120  # for what takes seconds at most: on a busy machine nothing fails for being late


POLL_S = 0.01  # asking without a pause would take the processor, and fill a server with connections


class Process:
    """A Gunicorn with the shipped configuration; it writes to files, which never fill up."""

    cwd = ROOT
    output_folder = None  # of the files that it writes to; that of all temporary files by default

    def __init__(self, model_dir, *arguments, **environ):
        self.port = free_port()
        self.out = tempfile.TemporaryFile("w+", dir=self.output_folder)  # noqa: SIM115 (closed in close)
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (likewise)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("FRAUDSCORE_")}
        self.folder = tempfile.TemporaryDirectory()
        settings = {
            "PORT": str(self.port),
            "TMPDIR": self.folder.name,
        }
        if model_dir is not None:
            settings["FRAUDSCORE_MODEL_DIR"] = str(model_dir)
        self.popen = subprocess.Popen(  # noqa: S603 (our own command and file)
            self.command(*(a.format(port=self.port) for a in arguments)),
            cwd=self.cwd,
            env=inherited | {"WEB_CONCURRENCY": "1"} | settings | environ,
            stdout=self.out,
            stderr=self.errors,
            start_new_session=True,  # so that it can be ended with all its workers
        )

    def command(self, *arguments):
        """Return what is run: Gunicorn cannot replace a master that was started with -m."""
        return [GUNICORN, "-c", "gunicorn.conf.py", *arguments]

    def end(self):
        """Wait until the process is gone; return its exit code and the lines it wrote."""
        code = self.popen.wait(timeout=DEADLINE_S)
        written = []
        for stream in (self.out, self.errors):
            stream.seek(0)
            written.append(stream.read().splitlines())
        return code, *written

    def close(self):
        """End the process and its workers at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        self.folder.cleanup()
        self.out.close()
        self.errors.close()


def wait_for(condition, what):
    """Ask again and again until a condition holds; fail at the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            if result := condition():
                return result
        time.sleep(POLL_S)
    raise AssertionError(f"not within {DEADLINE_S} s: {what}")


def receive_all(connection):
    """Return everything that comes until the server closes."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def receive_answers(connection, number):
    """Return the next answers of a connection, each as status, header and body."""
    stream = connection.makefile("rb")
    return [receive_answer(stream) for _ in range(number)]


def receive_answer(stream):
    """Return one answer as status, header (names in lower case) and body."""
    status = int(stream.readline().split()[1])
    headers = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return status, headers, stream.read(int(headers.get("content-length", 0)))


def with_constant(folder, name, value):
    """Return the arguments for a configuration in which a constant of the service is another.

    A test that would otherwise have to be faster than a time of the service makes that time long.
    """
    module, _, constant = name.rpartition(".")
    path = folder / f"{constant}.conf.py"
    path.write_text(f"exec(open('gunicorn.conf.py').read())\nimport {module}\n{name} = {value!r}\n")
    return "-c", str(path)


class Server(Process):
    """A running service and the ways to talk to it."""

    def __init__(self, model_dir, *arguments, **environ):
        super().__init__(model_dir, *arguments, **environ)
        self.url = f"http://127.0.0.1:{self.port}"

    def get(self, path, **headers):
        """Ask for a path; headers are given as ``X_Name="value"``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.get(self.url + path, headers=named, timeout=DEADLINE_S)

    def post(self, path, document):
        return requests.post(self.url + path, json=document, timeout=DEADLINE_S)

    def connect(self):
        """Return a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)

    def raw(self, *parts):
        """Send bytes as they are and return everything that comes until the server closes."""
        with self.connect() as connection:
            connection.sendall(b"".join(parts))
            received = receive_all(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode().lower(), body

    def log(self):
        """Return the whole lines of the log so far; the file's position is the service's too."""
        size = os.fstat(self.out.fileno()).st_size
        whole, _, _ = os.pread(self.out.fileno(), size, 0).rpartition(b"\n")
        return [json.loads(line) for line in whole.splitlines()]

    def workers(self):
        """Return the ids of the worker processes."""
        path = f"/proc/{self.popen.pid}/task/{self.popen.pid}/children"
        return [int(pid) for pid in Path(path).read_text().split()]
