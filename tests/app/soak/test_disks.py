"""A disk without room for the log costs lines of it, never an answer."""

import contextlib
import json
import os
import subprocess
import time

import pytest

from tests.app.gunicorn import Server, wait_for
from tests.app.scrapes import Scrape
from tests.app.soak.traffic import Footprint, reads_proc

pytestmark = [pytest.mark.soak, reads_proc]

SIZE, ROOM = 4_000_000, 40_000  # of the disk, and what is left of it for the log
LASTING_S = 3


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a file system of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(  # noqa: S603 (our own folder)
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],  # noqa: S607 (as found)
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607 (likewise)


class Logging(Server):
    """A service whose standard output is a file on a small disk."""

    def __init__(self, folder, *arguments, **environ):
        self.output_folder = folder
        super().__init__(*arguments, **environ)

    def written(self):
        """Return the lines of the log, which need not be whole."""
        size = os.fstat(self.out.fileno()).st_size
        return os.pread(self.out.fileno(), size, 0).split(b"\n")[:-1]


def is_json(line):
    """Say whether a line of the log is whole."""
    with contextlib.suppress(ValueError):
        return isinstance(json.loads(line), dict)
    return False


def test_full_disk_costs_lines_and_no_answer(small_disk, model_dir, load):
    filler = small_disk / "filler"
    with contextlib.closing(Logging(small_disk, model_dir, WEB_CONCURRENCY="2")) as server:
        wait_for(lambda: server.get("/health").ok, "readiness")
        footprint = Footprint(server)
        filler.write_bytes(bytes(SIZE - ROOM))
        with load(server.port) as seen:
            time.sleep(LASTING_S)
            dropped = Scrape(server.get("/metrics").text).total("fraud_log_lines_dropped_total")
            before = len(server.written())
            filler.unlink()
            time.sleep(LASTING_S)
        lines = server.written()
        footprint.assert_not_larger()

    seen.assert_nothing_lost()
    seen.assert_healthy()
    assert dropped > 0
    assert len(lines) > before  # it goes on where there is room again
    torn = [line for line in lines if not is_json(line)]
    assert not [line for line in torn if line.count(b'{"time"') > 1], "a torn line spoilt the next"
    assert len(torn) <= 2  # where each of the workers had no room for the rest
