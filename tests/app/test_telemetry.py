"""Request ids, common headers and the log line."""

import contextlib
import json
import logging
import os
import pty
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from app import create_app
from app.observability.request_log import RequestLog
from app.record import RequestRecord
from app.telemetry import JSONFormatter, LineHandler
from tests.factories import valid_row


@pytest.fixture(autouse=True)
def written(capfd):
    """Return a function that reads the lines on the standard output, as an operator's tools do."""
    return lambda: [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@pytest.mark.parametrize("given", ["a", "7f3c-9_A.b", "x" * 128])
def test_safe_request_id_is_kept(client, given):
    response = client.get("/health", headers={"X-Request-ID": given})

    assert response.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", " ", "a b", "x" * 129, 'a"b', "é", "a;b", "<script>"])
def test_unsafe_request_id_is_replaced(client, given):
    response = client.get("/health", headers={"X-Request-ID": given})

    assert response.headers["X-Request-ID"] != given
    assert len(response.headers["X-Request-ID"]) == 32


def test_request_ids_differ(client):
    ids = {client.get("/health").headers["X-Request-ID"] for _ in range(20)}

    assert len(ids) == 20


@pytest.mark.parametrize("path", ["/health", "/nothing", "/predict"])
def test_every_answer_carries_the_security_headers(client, path):
    response = client.get(path)

    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


def test_prediction_is_logged_with_what_was_decided(client, champion, written):
    rows = [valid_row(), valid_row(), valid_row()]

    response = client.post("/predict", json=rows, headers={"X-Request-ID": "r-1"})

    (line,) = written()
    decisions = [row["decision"] for row in response.get_json()["predictions"]]
    time = datetime.fromisoformat(line.pop("time"))
    assert timedelta(0) <= datetime.now(UTC) - time < timedelta(seconds=10)
    assert line.pop("duration_ms") > 0
    assert line == {
        "level": "info",
        "message": "request",
        "request_id": "r-1",
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "rows": 3,
        "model": champion.artifact.version,
        "decisions": {name: decisions.count(name) for name in ("approve", "review", "block")},
        "out_of_range": line["out_of_range"],
        "unseen_categories": 0,
        "rare_categories": 0,
    }


def test_unseen_values_are_counted_in_the_line(client, written):
    strange = valid_row(merchant_category="never seen", V1=1e300)

    client.post("/anomaly", json=[valid_row(), strange])

    (line,) = written()
    assert line["rows"] == 2
    assert line["unseen_categories"] == 1
    assert line["out_of_range"] >= 1
    assert line["anomalies"] in (0, 1, 2)


def test_line_of_a_refused_request_has_no_values_and_no_path(client, written):
    client.post("/predict", json=valid_row(V1="4000-1234-5678"))
    client.get("/4000-1234-5678?card=4000-1234-5678")

    refused, missing = written()
    assert (refused["status"], refused["route"]) == (422, "/predict")
    assert (missing["status"], missing["route"]) == (404, None)
    assert "4000" not in json.dumps([refused, missing])


def test_line_breaks_cannot_forge_a_log_line():
    record = logging.LogRecord("app", logging.INFO, "", 0, 'a\r\n{"level":"forged"}', None, None)

    assert "\n" not in JSONFormatter().format(record)


def test_exception_is_one_line_of_json():
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        record = logging.LogRecord("app", logging.ERROR, "", 0, "failed", None, sys.exc_info())

    line = JSONFormatter().format(record)

    assert "\n" not in line
    assert "ValueError: first\nsecond" in json.loads(line)["exception"]


def test_server_error_is_logged_as_an_error(app, caplog, written):
    app.get("/break")(lambda: 1 / 0)

    app.test_client().get("/break", headers={"X-Request-ID": "r-2"})

    (failed,) = (json.loads(JSONFormatter().format(record)) for record in caplog.records)
    (request,) = written()
    assert failed["request_id"] == request["request_id"] == "r-2"
    assert (failed["level"], request["level"]) == ("error", "error")
    assert "ZeroDivisionError" in failed["exception"]
    assert request["status"] == 500


@pytest.mark.parametrize(
    ("level", "statuses"), [("INFO", [200, 500]), ("WARNING", [500]), ("ERROR", [500])]
)
def test_log_level_chooses_among_the_lines_of_requests(model_dir, written, level, statuses):
    app = create_app({"MODEL_DIR": model_dir, "LOG_LEVEL": level})
    app.get("/break")(lambda: 1 / 0)

    for path in ("/health", "/break"):
        app.test_client().get(path)

    assert [line["status"] for line in written()] == statuses


def answered(status=200):
    """Return the record of an answered request."""
    record = RequestRecord("r-1", "GET")
    record.status = status
    return record


def test_times_of_lines_never_run_backwards(written):
    log = RequestLog("INFO")

    for _ in range(2000):
        log.write(answered(), 0.001)

    times = [line["time"] for line in written()]
    assert times == sorted(times)
    assert {len(time) for time in times} == {len("2026-01-01T00:00:00.000+00:00")}


def test_name_of_the_client_is_in_the_line(written):
    record = answered()
    record.client = "checkout"

    RequestLog("INFO").write(record, 0.001)

    assert written()[0]["client"] == "checkout"


def socket_ends():
    reader, writer = socket.socketpair()
    return reader.detach(), writer.detach()


@pytest.mark.parametrize("ends", [os.pipe, socket_ends])
def test_output_that_nobody_reads_costs_lines_and_no_time(ends):
    """Fill it: a write that waited would never return."""
    reader, writer = ends()
    log, handler = RequestLog("INFO", writer), LineHandler(writer)

    for _ in range(5000):
        log.write(answered(), 0.001)
    handler.handle(logging.makeLogRecord({"msg": "x" * 4000, "levelno": logging.INFO}))

    assert log.dropped > 0
    os.set_blocking(reader, False)
    lines = b"".join(iter(lambda: read_available(reader), b"")).splitlines()
    whole = [json.loads(line) for line in lines if line.endswith(b"}")]
    assert len(whole) == 5000 - log.dropped
    assert {line["request_id"] for line in whole} == {"r-1"}
    assert os.get_blocking(writer)  # others share this end and expect it to wait


def test_terminal_that_was_stopped_costs_lines_and_no_time():
    """Control-S, for one; a terminal may take a part of a line."""
    _, terminal = pty.openpty()
    log = RequestLog("INFO", terminal)

    for _ in range(5000):
        log.write(answered(), 0.001)

    assert log.dropped > 0


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:  # noqa: S603
        pytest.skip("only root may mount a small disk, and not in every container")
    yield folder
    subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)  # noqa: S603


def test_line_torn_by_a_full_disk_spoils_no_other(small_disk):
    """The worker that goes on first need not be the one that tore the line."""
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 40_000)
    file = os.open(small_disk / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    logs = [RequestLog("INFO", file) for _ in range(2)]
    while not logs[0].dropped:
        logs[0].write(answered(), 0.001)
    is_torn = not (small_disk / "log").read_bytes().endswith(b"\n")
    filler.unlink()

    for log in reversed(logs):
        log.write(answered(), 0.001)

    lines = (small_disk / "log").read_bytes().splitlines()
    assert is_torn
    assert sum(not is_json(line) for line in lines) == 1
    assert [json.loads(line)["request_id"] for line in lines[-2:]] == ["r-1", "r-1"]


def test_file_that_may_not_be_read_is_written_all_the_same(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    file = os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY)
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        log = RequestLog("INFO", file)

    log.write(answered(), 0.001)

    assert is_json((tmp_path / "log").read_bytes())


def test_line_that_a_socket_took_in_part_spoils_no_other():
    reader, writer = socket_ends()
    handler = LineHandler(writer)
    long = logging.makeLogRecord({"msg": "x" * 3_000_000, "levelno": logging.INFO})
    handler.handle(long)
    os.set_blocking(reader, False)
    torn = b"".join(iter(lambda: read_available(reader), b""))

    handler.handle(logging.makeLogRecord({"msg": "next", "levelno": logging.INFO}))

    rest, line = read_available(reader).splitlines()
    assert torn
    assert not is_json(torn)
    assert rest == b""
    assert json.loads(line)["message"] == "next"


def is_json(line):
    """Say whether a line is a document."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def read_available(reader):
    """Return what can be read at once."""
    with contextlib.suppress(BlockingIOError):
        return os.read(reader, 1 << 20)
    return b""


def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def closed_descriptor():
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    return writer


def full_disk():
    return os.open("/dev/full", os.O_WRONLY)


@pytest.mark.parametrize("output", [closed_pipe, closed_descriptor, full_disk])
def test_output_that_takes_no_lines_drops_and_counts_them(output):
    log = RequestLog("INFO", output())

    for _ in range(3):
        log.write(answered(), 0.001)

    assert log.dropped == 3


@pytest.mark.parametrize("output", [closed_pipe, closed_descriptor, full_disk])
def test_message_that_nobody_takes_is_lost_without_a_word(output, capfd):
    handler = LineHandler(output())

    handler.handle(logging.makeLogRecord({"msg": "stopping", "levelno": logging.INFO}))
    handler.close()

    assert capfd.readouterr().err == ""
