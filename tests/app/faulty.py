"""A server that goes wrong on purpose: it plays a list of faults, then answers as it should."""

import json
import socket
import struct
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = {
    "predictions": [{"probability": 0.5, "score": 500, "decision": "review"}],
    "model": {"name": "m", "version": "1"},
}


@dataclass(frozen=True)
class Status:
    """An answer with a status, headers and a body."""

    code: int
    headers: dict = field(default_factory=dict)
    body: bytes = b"{}"


@dataclass
class Faulty:
    """What a faulty server will do, and what it was asked."""

    plays: list
    url: str = ""
    requests: list = field(default_factory=list)
    connections: set = field(default_factory=set)
    is_over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def faulty(*plays):
    """Run a server that answers requests in turn with the plays, and afterwards properly.

    A play is a Status, "reset" (the connection breaks), "cut" (it breaks within the answer) or
    "silence" (nothing comes until the test is over).
    """
    script = Faulty(list(plays))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield script
    finally:
        script.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(script):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self):
            with suppress(ConnectionResetError):  # a client that does not want the rest
                super().handle()

        def do_GET(self):
            self._play()

        def do_POST(self):
            self._play()

        def _play(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.requests.append((self.path, dict(self.headers), body))
            script.connections.add(self.client_address)
            play = script.plays.pop(0) if script.plays else Status(200, {}, _proper(body))
            if play == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
                self.close_connection = True
                self.connection.close()
            elif play == "silence":
                script.is_over.wait()
                self.close_connection = True
            elif play == "cut":
                self._answer(Status(200), length=1000)
                self.close_connection = True
            else:
                self._answer(play, length=len(play.body))

        def _answer(self, play, length):
            self.send_response(play.code)
            for name, value in play.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(play.body)

        def finish(self):
            if self.connection.fileno() != -1:
                super().finish()

        def log_message(self, *_):
            """Say nothing."""

    return Handler


_ABORT = struct.pack("ii", 1, 0)  # close with a reset instead of a goodbye


def _proper(body):
    """Return a proper answer, with a prediction for each transaction that was sent."""
    rows = json.loads(body or b"[0]")
    return json.dumps({**ANSWER, "predictions": ANSWER["predictions"] * len(rows)}).encode()
