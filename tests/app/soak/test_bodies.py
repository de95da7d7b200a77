"""Bodies that are cheap to send and ask for much work hold nobody up."""

import json

import numpy as np
import pytest

from benchmarks import closed_loop
from benchmarks.generator import generating
from benchmarks.serving_attacks import SIZES, unknown_rows
from benchmarks.serving_models import typical_rows
from tests.app.soak.traffic import PATH, Footprint, reads_proc

pytestmark = [pytest.mark.soak, reads_proc]

LASTING_S = 5


@pytest.fixture
def beset(serve_two, load, tmp_path):
    """Return a function that posts bodies beside ordinary clients, and says what both saw."""

    def begin(bodies, clients):
        files = [tmp_path / f"costly-{number}.json" for number, _ in enumerate(bodies)]
        for path, body in zip(files, bodies, strict=True):
            path.write_bytes(body)
        server = serve_two()
        footprint = Footprint(server)
        plan = closed_loop.Plan(server.port, PATH, list(map(str, files)), clients, LASTING_S)
        with generating(closed_loop.command(plan)) as posting, load(server.port) as seen:
            outcome = posting.outcome()
        assert not outcome["lost"]
        footprint.assert_not_larger()
        return seen, {status for answers in outcome["answers"] for status, *_ in answers}

    return begin


@pytest.fixture
def rng():
    """Return the source of the transactions."""
    return np.random.default_rng(1)


def is_answered_in_time(seen):
    seen.assert_nothing_lost()
    seen.assert_healthy()


@pytest.mark.parametrize("clients", [2, 8])
def test_bodies_of_unknown_keys_hold_nobody_up(beset, clients):
    seen, statuses = beset([unknown_rows()], clients)

    assert statuses == {422}
    is_answered_in_time(seen)


@pytest.mark.parametrize("clients", [2, 8])
def test_row_of_many_unknown_keys_holds_nobody_up(beset, clients):
    body = json.dumps({f"V{number}": 0 for number in range(100, 1_000)}).encode()

    seen, statuses = beset([body], clients)

    assert statuses == {422}
    is_answered_in_time(seen)


@pytest.mark.parametrize("sizes", [SIZES[-1:], SIZES], ids=["as many as possible", "of all sizes"])
def test_rows_to_be_explained_hold_nobody_up(beset, model, rng, sizes):
    rows = typical_rows(model.versions[0].scorer.spec, max(sizes), rng)
    bodies = [json.dumps(rows[:size], separators=(",", ":")).encode() for size in sizes]

    seen, statuses = beset(bodies, 8)

    assert statuses == {200}
    is_answered_in_time(seen)


def test_many_bad_values_hold_nobody_up(beset, model, rng):
    rows = typical_rows(model.versions[0].scorer.spec, 100, rng)
    bad = [dict.fromkeys(row, "x" * 3) for row in rows]

    seen, statuses = beset([json.dumps(bad).encode()], 8)

    assert statuses == {422}
    is_answered_in_time(seen)
