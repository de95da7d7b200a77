"""Ordinary clients of a service, and questions for its /health, while a test does something to it.

The clients are processes of their own. Each of their requests has to be answered, and every answer
has to be that of its own transactions: same identifier, and the score that the artifact gives them.
"""

import contextlib
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks import closed_loop, health_probe
from benchmarks.generator import generating
from benchmarks.percentiles import percentile
from benchmarks.serving_models import typical_rows
from tests.app.gunicorn import wait_for

LONGEST_S = 60  # of a load, if a test does not end it before
CLIENTS, PAUSE_S = 8, 0.005
N_SINGLE, BATCH = 8, 20
PATH = "/predict?explain=true&anomaly=true"
EVERY_S = 0.02  # between two questions for /health
# At the 99th percentile. Far above what is promised, as other programs may have most of the
# processors; one that is held up by what these tests do is late by three to ten seconds.
MOST_HEALTH_MS = 2_000
MOST_GROWTH = 60_000_000
MOST_NEW_FILES = 6
SAME = 1e-6


class Transactions:
    """Bodies to post, and the answers to them that are right, by model version."""

    def __init__(self, artifacts, folder):
        self.artifacts = artifacts
        spec = artifacts[0].scorer.spec
        rows = typical_rows(spec, N_SINGLE + BATCH, np.random.default_rng(0))
        rows = [{"transaction_id": f"t-{n}", **row} for n, row in enumerate(rows)]
        self.bodies = [[row] for row in rows[:N_SINGLE]] + [rows[N_SINGLE:]]
        self.files = [str(folder / f"body-{n}.json") for n in range(len(self.bodies))]
        for path, body in zip(self.files, self.bodies, strict=True):
            Path(path).write_text(json.dumps(body[0] if len(body) == 1 else body))
        self.right = [
            {artifact.version: self._scored(artifact, body) for artifact in artifacts}
            for body in self.bodies
        ]

    def _scored(self, artifact, body):
        scorer = artifact.scorer
        matrix = scorer.spec.matrix_from_rows(body)
        scores, anomalies = scorer.score(matrix), scorer.anomaly(matrix)
        return [
            (row["transaction_id"], probability, anomaly)
            for row, probability, anomaly in zip(
                body, scores.probability, anomalies.anomaly_score, strict=True
            )
        ]

    def is_right(self, number, text):
        """Say whether an answer is one to the body of this number."""
        document = json.loads(text)
        predictions = document.get("predictions", [document])
        right = self.right[number].get(document["model"]["version"], [])
        return len(predictions) == len(right) and all(
            found["transaction_id"] == name
            and abs(found["probability"] - probability) < SAME
            and abs(found["anomaly_score"] - anomaly) < SAME
            and 0 < len(found["reasons"]) <= 4
            for found, (name, probability, anomaly) in zip(predictions, right, strict=True)
        )


class Seen:
    """What the clients saw; complete once the load has ended."""

    def __init__(self, transactions):
        self._transactions = transactions
        self.lost = Counter()
        self.statuses = Counter()
        self.wrong = []
        self.versions = Counter()
        self.health_ms = []
        self.health_failures = []
        self.seconds = 0.0

    def complete(self, load, probe):
        """Take in what the load generators printed."""
        self.lost.update(load["lost"])
        self.seconds = load["seconds"]
        for number, answers in enumerate(load["answers"]):
            for status, text, count in answers:
                self.statuses[status] += count
                if status != 200:
                    continue
                if text == closed_loop.OTHER or not self._transactions.is_right(number, text):
                    self.wrong.append(text)
                else:
                    self.versions[json.loads(text)["model"]["version"]] += count
        self.health_ms = probe["milliseconds"]
        self.health_failures = probe["failures"]

    @property
    def n_lost(self):
        """Return how many requests had no answer, or another than a score."""
        return self.lost.total() + self.statuses.total() - self.statuses[200]

    def health(self, percent):
        """Return a percentile of the milliseconds that /health took."""
        return percentile(self.health_ms, percent)

    def __str__(self):
        longest = max(self.health_ms, default=float("nan"))
        return (
            f"{dict(self.statuses)} in {self.seconds:.1f} s, lost {dict(self.lost)}; /health "
            f"p50 {self.health(50):.1f} p99 {self.health(99):.1f} longest {longest:.1f} ms "
            f"({len(self.health_ms)} asked, failed {dict(Counter(self.health_failures))})"
        )

    def assert_nothing_lost(self, *, most_lost=0):
        """Every request was answered as it should be, but for so many."""
        assert self.statuses[200] > 100, self
        assert self.n_lost <= most_lost, self
        assert not self.wrong, (self, self.wrong[:1])

    def assert_healthy(self, *, percent=99):
        """Every question for /health was answered with 200, and so many of a hundred soon."""
        assert not self.health_failures, self
        assert self.health(percent) <= MOST_HEALTH_MS, self


@contextlib.contextmanager
def traffic(transactions, port, *, seconds=LONGEST_S, **changes):
    """Keep clients busy, until the time is over or the test goes on; yield what they then saw."""
    facts = {"clients": CLIENTS, "pause_s": PAUSE_S, "seconds": seconds, **changes}
    plan = closed_loop.Plan(port, PATH, transactions.files, **facts)
    probe = health_probe.Plan(port, EVERY_S, seconds)
    seen = Seen(transactions)
    with (
        generating(closed_loop.command(plan)) as load,
        generating(health_probe.command(probe)) as asking,
    ):
        yield seen
        seen.complete(load.end(), asking.end())


def resident_memory(pid):
    """Return what a process holds in memory, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def open_files(pid):
    """Return how many files and sockets a process holds open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


class Footprint:
    """What the workers of a service hold, to be compared with what they hold later."""

    def __init__(self, server):
        self.server = server
        self.memory = max(map(resident_memory, server.workers()))
        self.files = max(map(open_files, server.workers()))

    def assert_not_larger(self):
        """All is well; connections and their descriptors are gone; memory is what it was, about."""
        assert self.server.get("/health").json()["status"] == "ok"
        workers = self.server.workers()
        most = self.files + MOST_NEW_FILES
        wait_for(lambda: all(open_files(pid) <= most for pid in workers), "descriptors to close")
        grown = max(map(resident_memory, workers)) - self.memory
        assert grown < MOST_GROWTH, f"{grown / 1e6:.0f} MB more"


reads_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="descriptors and memory are read from /proc"
)
