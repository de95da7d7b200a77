"""/metrics of several workers, and what remains when they die."""

import os
import signal

from tests.app.gunicorn import wait_for
from tests.app.scrapes import Scrape
from tests.factories import valid_row

TWO = {"WEB_CONCURRENCY": "2"}


def scrape(server):
    return Scrape(server.get("/metrics").text)


def predicted(server):
    """Return how many predictions are counted."""
    return scrape(server).total("fraud_http_requests_total", route="/predict", code="200")


def predict(server, n_requests):
    for _ in range(n_requests):
        assert server.post("/predict", valid_row()).ok


def pids(found):
    """Return the ids of the processes that a scrape tells of."""
    return {int(sample.labels["pid"]) for sample in found.of("process_cpu_seconds_total")}


def test_every_worker_tells_of_all(serve):
    server = serve(**TWO)

    predict(server, 40)

    wait_for(lambda: [predicted(server) for _ in range(10)] == [40] * 10, "all are counted")
    found = scrape(server)
    assert found.total("fraud_transactions_total", route="/predict") == 40
    assert found.total("fraud_score_count") == 40
    assert found.total("fraud_workers") == 2
    assert pids(found) == set(server.workers())


def test_totals_outlive_killed_workers_and_their_gauges_do_not(serve, tmp_path):
    run_dir = tmp_path / "run"
    server = serve(**TWO, FRAUDSCORE_RUN_DIR=str(run_dir))
    predict(server, 30)
    wait_for(lambda: predicted(server) == 30, "all are counted")
    first_workers = set(server.workers())
    totals = [30]

    for pid in first_workers:
        os.kill(pid, signal.SIGKILL)

        def is_replaced(pid=pid):
            found = scrape(server)
            totals.append(found.total("fraud_http_requests_total", route="/predict"))
            return pid not in pids(found) and found.total("fraud_workers") == 2

        wait_for(is_replaced, "a new worker")
    predict(server, 5)

    wait_for(lambda: predicted(server) == 35, "the new workers add to the old ones")
    assert set(totals) == {30}
    assert not first_workers & pids(scrape(server))
    assert len(list(run_dir.glob("metrics/[0-9]*.json"))) == 2


def test_restart_begins_at_zero(serve, tmp_path):
    run_dir = str(tmp_path / "run")
    first = serve(FRAUDSCORE_RUN_DIR=run_dir)
    predict(first, 3)
    os.killpg(first.popen.pid, signal.SIGKILL)
    first.popen.wait(30)

    second = serve(FRAUDSCORE_RUN_DIR=run_dir)

    assert predicted(second) == 0
