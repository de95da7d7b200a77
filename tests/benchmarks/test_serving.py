"""The parts of the serving benchmark that need no service."""

import sys
from collections import Counter

import pytest

from benchmarks import wrk
from benchmarks.server_process import Field, last_line, running
from benchmarks.serving_contestants import ROOT, Contestant, ours, peer
from benchmarks.serving_latency import read
from benchmarks.serving_swaps import mixed
from benchmarks.serving_throughput import JOBS, REFERENCE, Sample, footprint, ratio, table

OURS = "fraudscore, textbook"
ROWS = [{"Amount": 1.5, "Time": 0.0}, {"Amount": 2.0, "Time": 1.0}]

# A server with a child that refuses at first, and that ends without ending the child.
REFUSES_S = 0.2
TINY = f"""
import http.server, subprocess, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        ready = time.monotonic() > began + {REFUSES_S}
        self.send_response(200 if ready else 503)
        self.end_headers()

    def log_message(self, *_):
        pass

began = time.monotonic()
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def sample(per_second, **facts):
    """Return a measurement with this rate."""
    common = {"p50_ms": 1, "p99_ms": 2, "cpu_us": 100, "failures": 0, "memory_mb": 90}
    common |= {"seconds_to_ready": 1, "largest_share": 0.5, "others_share": 0}
    return Sample(per_second=per_second, **common | facts)


def test_line_of_wrk_is_read_and_refused_requests_do_not_count():
    text = (
        "Running 2s test\nmeasured requests=100 us=2000000 p50=250.0 p99=1500.5 lost=1 refused=7\n"
    )

    load = wrk.parse(text)

    assert load == wrk.Load(requests=93, seconds=2.0, p50_ms=0.25, p99_ms=1.5005, failures=8)


def test_wrk_that_did_not_run_ends_the_program_with_its_last_line():
    with pytest.raises(SystemExit, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_ratio_is_the_median_of_ratios_within_a_round():
    rounds = [
        {REFERENCE: sample(100), OURS: sample(200)},
        {REFERENCE: sample(10), OURS: sample(40)},  # a slow moment of the machine
        {REFERENCE: sample(100), OURS: sample(300)},
        {OURS: sample(1000)},  # nothing to compare it with
    ]

    assert ratio(rounds, OURS, lambda s: s.per_second) == 3
    assert ratio(rounds[3:], OURS, lambda s: s.per_second) is None


def test_table_shows_medians_and_what_is_asked_beside_the_ratio():
    rounds = [{OURS: sample(rate), REFERENCE: sample(1000)} for rate in (1200, 1500, 3000)]

    head, _, own, reference = table(JOBS[0], rounds).splitlines()

    assert "CPU µs a request" in head
    assert "1,500" in own
    assert "1.50 (asked ≥ 1.4)" in own
    assert "asked" not in reference


def test_footprint_is_the_largest_of_all_loads():
    samples = {
        JOBS[0]: [{OURS: sample(1, memory_mb=80, seconds_to_ready=1)}],
        JOBS[1]: [{OURS: sample(1, memory_mb=120, seconds_to_ready=2)}],
    }

    row = footprint(samples).splitlines()[2]

    assert [cell.strip() for cell in row.split("|")[1:-1]] == [OURS, "120", "1.50", "2.00"]


def test_same_bytes_are_put_to_us_and_to_the_reference(tmp_path):
    own, reference = ours("textbook", tmp_path), peer("fastapi")

    for rows in (ROWS[:1], ROWS):
        assert own.body(rows) == reference.body(rows)
    assert own.body(ROWS[:1]) == b'{"Amount":1.5,"Time":0.0}'
    assert (reference.path(1), reference.path(2)) == ("/predict", "/predict_batch")


def test_tensor_of_the_inference_protocol_has_a_row_for_each_transaction():
    assert peer("pytriton").shape(ROWS, False) == {
        "inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [1.5, 0.0, 2.0, 1.0]}]
    }


def test_answers_are_counted_by_version_and_probability():
    outcome = {
        "latencies": [0.001, 0.003],
        "lateness": [0.0001],
        "statuses": {"200": 2, "503": 1},
        "answers": {'{"probability":0.5,"model":{"name":"m","version":"a"}}': 2, "[1]": 1},
        "lost": 4,
    }

    seen = read(outcome, rate=10)

    assert seen.answers == {("a", 0.5): 2}
    assert seen.at(50) == pytest.approx(1)
    assert (seen.refused, seen.lost) == (1, 4)


def test_answer_with_the_probability_of_another_version_is_mixed():
    answers = Counter({("a", 0.1): 5, ("b", 0.2): 4, ("a", 0.2): 2, ("c", 0.1): 1})

    assert mixed(answers, {"a": 0.1, "b": 0.2}) == 3


def test_reason_of_a_failed_start_is_our_line_or_else_the_last_one():
    assert last_line("fraudscore cannot start: x\n{}\n") == "fraudscore cannot start: x"
    assert last_line("[Traceback:\nImportError: no x\n]\n") == "ImportError: no x"
    assert last_line("a\nb\n\n") == "b"
    assert last_line("\n") == "it ended without a word"


def test_contestant_that_does_not_start_is_named_once_and_left_out(tmp_path):
    script = "import sys; open('started', 'a').write('x'); sys.exit('no such setting')"
    broken = Contestant("broken", (sys.executable, "-c", script), tmp_path)
    field = Field([broken], ROWS, tmp_path)

    found = [field.each(lambda server: server.port) for _ in range(2)]

    assert found == [{}, {}]
    assert field.unavailable == {"broken": "no such setting"}
    assert (tmp_path / "started").read_text() == "x"


def test_server_is_timed_until_it_answers_and_ends_with_its_children(tmp_path):
    contestant = Contestant("tiny", (sys.executable, "-c", TINY, "{port}"), tmp_path)

    with running(contestant, ROWS, tmp_path) as server:
        alive = server.processes()
        sent = server.body(1).read_bytes()

    assert len(alive) == 2  # it, and its child
    assert server.seconds_to_ready >= REFUSES_S
    assert sent == b'{"Amount":1.5,"Time":0.0}'
    assert server.processes() == set()


def test_our_service_is_started_as_it_is_shipped(tmp_path):
    own = ours("lane off", tmp_path, LANE="off")

    assert own.command[1:] == ("-m", "gunicorn", "-c", "gunicorn.conf.py")
    assert own.folder == ROOT
    assert {k: v for k, v in own.environ.items() if k.startswith("FRAUDSCORE_")} == {
        "FRAUDSCORE_MODEL_DIR": str(tmp_path),
        "FRAUDSCORE_LANE": "off",
    }
