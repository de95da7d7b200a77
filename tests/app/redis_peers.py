"""A real Redis for tests, and peers that behave as a Redis in trouble does."""

import contextlib
import re
import shutil
import socket
import subprocess
import threading
from functools import partial

import pytest

from tests.app.gunicorn import wait_for

REDIS = shutil.which("redis-server")


def start_redis(path):
    """Start a Redis on a socket of the file system, and wait until it answers."""
    if REDIS is None:
        pytest.skip("there is no redis-server here")
    options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(path.parent)]
    process = subprocess.Popen([REDIS, *options], stdout=subprocess.DEVNULL)  # noqa: S603

    def answers():
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"

    wait_for(answers, "an answer of Redis")
    return process


@contextlib.contextmanager
def running_redis(path):
    """Give the address of a Redis that runs meanwhile."""
    process = start_redis(path)
    try:
        yield f"redis+unix://{path}"
    finally:
        process.kill()
        process.wait()


class Peer:
    """Accepts connections and does with each what ``behave`` says at that time."""

    def __init__(self, behave):
        self.behave = behave
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"redis://:secret-of-redis@{self.address}/0"
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            self.behave(connection)

    def drop_connections(self):
        """End what is open; whoever connects again meets what ``behave`` says now."""
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self):
        """Stop to listen, and end what is open."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_connections()


def answering(text):
    """Answer every command with the same bytes."""

    def behave(connection):
        while received := connection.recv(65536):
            connection.sendall(text * len(re.findall(rb"\*\d+\r\n", received)))

    return behave


def silent(connection):
    """Take everything and say nothing."""
    while connection.recv(65536):
        pass


def resetting(connection):
    """End the connection as soon as something comes."""
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def dripping(connection):
    """Answer with an error that is never quite complete, a byte at a time."""
    connection.recv(65536)
    is_over = threading.Event()
    while not is_over.wait(0.01):
        connection.sendall(b"-")


def slow(path, delay_s):
    """Pass on to a Redis, and its answers back after a delay."""
    return partial(_relay, path, delay_s)


def _relay(path, delay_s, connection):
    pause = threading.Event()
    with socket.socket(socket.AF_UNIX) as redis:
        redis.connect(str(path))
        while received := connection.recv(65536):
            redis.sendall(received)
            answer = redis.recv(65536)
            pause.wait(delay_s)
            connection.sendall(answer)
