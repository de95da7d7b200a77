"""The numbers of several processes: added up, and kept when a process dies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.observability.metrics import (
    DURATION,
    LINES_DROPPED,
    MODEL_LOADED,
    TRANSACTIONS,
    WORKERS,
    total,
)
from app.observability.published import PublishedSeries

ROOT = Path(__file__).resolve().parents[2]
COUNTER = (TRANSACTIONS.name, ("/predict",))
GAUGE = (WORKERS.name, ())
CHILD = """
import sys
from pathlib import Path
from app.observability.published import PublishedSeries
published = PublishedSeries(Path(sys.argv[1]))
for line in sys.stdin:
    published.publish({("fraud_transactions_total", ("/predict",)): [int(line)],
                       ("fraud_workers", ()): [1]})
    print("published", flush=True)
"""


class Worker:
    """A process that publishes the count it is told."""

    def __init__(self, folder):
        self.popen = subprocess.Popen(  # noqa: S603 (our own interpreter and code)
            [sys.executable, "-c", CHILD, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def publish(self, count):
        self.popen.stdin.write(f"{count}\n")
        self.popen.stdin.flush()
        assert self.popen.stdout.readline() == "published\n"

    def kill(self):
        with self.popen:
            self.popen.kill()


@pytest.fixture
def folder(tmp_path):
    """Return the folder that the processes share."""
    return tmp_path / "metrics"


@pytest.fixture
def start(folder):
    """Return a function that starts processes."""
    workers = []

    def begin():
        workers.append(Worker(folder))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.kill()


def added_up(published):
    """Return the counter and the gauge over all processes."""
    living, retired = published.read()
    whole = total([retired, *(snapshot.series for snapshot in living)])
    return whole.get(COUNTER, [0])[0], whole.get(GAUGE, [0])[0]


def test_killed_process_keeps_its_counts_and_loses_its_gauges(folder, start):
    reader = PublishedSeries(folder)
    workers = [start(), start(), start()]
    for worker, count in zip(workers, (1, 20, 300), strict=True):
        worker.publish(count)
    alive = added_up(reader)

    workers[1].kill()
    before = added_up(reader)
    reader.retire()
    after = added_up(reader)
    workers[0].publish(2)
    workers[2].kill()
    reader.retire()
    last = added_up(reader)

    assert (alive, before, after, last) == ((321, 3), (321, 2), (321, 2), (322, 1))
    assert len(list(folder.glob("[0-9]*.json"))) == 1


def test_process_killed_between_writing_and_removing_counts_nothing_twice(folder, start):
    """Put a removed file back, as if the process that moved its numbers had been killed there."""
    reader = PublishedSeries(folder)
    worker = start()
    worker.publish(5)
    worker.kill()
    (file,) = folder.glob("[0-9]*.json")
    content = file.read_bytes()
    reader.retire()

    file.write_bytes(content)
    before = added_up(reader)
    reader.retire()

    assert before == added_up(reader) == (5, 0)
    assert not file.exists()


def test_only_one_process_at_a_time_moves_the_numbers_of_the_dead(folder, start):
    reader, other = PublishedSeries(folder), PublishedSeries(folder)
    worker = start()
    worker.publish(5)
    worker.kill()

    with other._turn() as is_ours:
        reader.retire()
        assert is_ours
        assert len(list(folder.glob("[0-9]*.json"))) == 1
    reader.retire()

    assert not list(folder.glob("[0-9]*.json"))
    assert added_up(reader) == (5, 0)


def test_process_sees_itself_among_the_living(folder):
    published = PublishedSeries(folder)

    published.publish({COUNTER: [3]})
    published.publish({COUNTER: [4]})

    living, retired = published.read()
    (own,) = living
    assert (own.identity, own.pid) == (published.identity, os.getpid())
    assert own.series == {COUNTER: [4]}
    assert retired == {}


def test_file_that_was_swept_away_is_written_again(folder):
    published = PublishedSeries(folder)
    published.publish({COUNTER: [3]})

    next(folder.glob("*.json")).unlink()
    published.publish({COUNTER: [3]})

    assert added_up(published) == (3, 0)


def test_what_cannot_be_read_is_left_out(folder):
    published = PublishedSeries(folder)
    published.publish({COUNTER: [3]})
    (folder / "1-empty.json").write_bytes(b"")
    (folder / "1-other.json").write_bytes(b'{"pid": 1, "series": 5}')
    (folder / "retired.json").write_bytes(b"\0" * 100)

    assert added_up(published) == (3, 0)


def test_series_of_another_release_are_left_out(folder):
    other = PublishedSeries(folder)
    narrower = [0.0] * (DURATION.width - 1)

    other.publish({COUNTER: [3]})
    text = next(folder.glob("*.json"))
    facts = text.read_text().replace(
        '"series":[',
        f'"series":[["{DURATION.name}",["/predict"],{narrower}],["gone",[],[1]],',
    )
    (folder / "1-a.json").write_text(facts)

    assert added_up(PublishedSeries(folder)) == (6, 0)
    assert list(PublishedSeries(folder).read()[1]) == [COUNTER]


def test_unwritable_folder_is_an_error_that_leaves_the_old_numbers(folder):
    published = PublishedSeries(folder)
    published.publish({COUNTER: [3]})
    (folder / f"{published.identity}.tmp").mkdir()  # root may write wherever it likes

    with pytest.raises(OSError, match="directory"):
        published.publish({COUNTER: [4]})

    assert added_up(published) == (3, 0)


def test_numbers_add_up_and_times_do_not():
    first = {COUNTER: [1], (MODEL_LOADED.name, ()): [10.0], (LINES_DROPPED.name, ()): [2]}
    second = {COUNTER: [2], (MODEL_LOADED.name, ()): [7.0]}

    assert total([first, second]) == {
        COUNTER: [3],
        (MODEL_LOADED.name, ()): [10.0],
        (LINES_DROPPED.name, ()): [2],
    }
    assert first[COUNTER] == [1]
