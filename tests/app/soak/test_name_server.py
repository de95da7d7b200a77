"""A name server that says nothing holds nobody up while the name of Redis is looked up."""

import contextlib
import os
import shutil
import socket
import time

import pytest

from benchmarks import slow_redis
from tests.app.gunicorn import Server, wait_for
from tests.app.soak.traffic import Footprint, reads_proc

pytestmark = [
    pytest.mark.soak,
    reads_proc,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("unshare") is None,
        reason="only root can give a service a name server of its own, with unshare",
    ),
]

ADDRESS = "127.0.0.77"  # on which nobody else answers questions about names
LASTING_S = 12  # the system's look-up gives up after ten
SCRIPT = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'


class OwnNameServer(Server):
    """A service that looks names up elsewhere than the machine does."""

    def command(self, *arguments):
        """Put a file in place of resolv.conf for this service alone."""
        path = os.path.join(self.folder.name, "resolv.conf")
        with open(path, "w") as file:
            file.write(f"nameserver {ADDRESS}\n")
        return ["unshare", "--mount", "sh", "-c", SCRIPT, path, *super().command(*arguments)]


@pytest.fixture
def questions():
    """Listen where the service asks, without answering; yield the socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind((ADDRESS, 53))
        except OSError as error:
            pytest.skip(f"nobody can be a name server here: {error}")
        silent.setblocking(False)
        yield silent


def test_silent_name_server_holds_nobody_up(questions, model_dir, load):
    server = OwnNameServer(
        model_dir,
        WEB_CONCURRENCY="2",
        FRAUDSCORE_RATE_LIMIT=slow_redis.LIMIT,
        FRAUDSCORE_REDIS_URL="redis://redis.example:6379/0",
    )
    with contextlib.closing(server):
        wait_for(lambda: server.popen.poll() is not None or server.get("/health").ok, "readiness")
        if server.popen.poll() is not None:
            pytest.skip(f"no mounts can be made here: {server.end()}")
        footprint = Footprint(server)
        with load(server.port) as seen:
            time.sleep(LASTING_S)
        footprint.assert_not_larger()

    assert b"redis\x07example" in questions.recv(512)  # it was asked
    seen.assert_nothing_lost()
    seen.assert_healthy()
