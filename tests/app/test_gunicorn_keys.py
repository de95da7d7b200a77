"""Keys and limits as production runs them: real Gunicorn processes, real sockets."""

import contextlib
import json
import os

import pytest
import requests
from click.testing import CliRunner

from app.__main__ import main
from tests.app.gunicorn import DEADLINE_S, Process, wait_for
from tests.factories import valid_row

OPEN_DOOR = "no API keys"


def keys_command(path, *words):
    """Run a keys command as an operator does; return what it printed."""
    return CliRunner().invoke(main, ["keys", "--file", str(path), *words]).stdout.strip()


def log_of(server):
    """Return what a service has written so far, without moving where it writes next."""
    return os.pread(server.out.fileno(), 10**6, 0).decode()


def warnings_of(server):
    """Return the warnings that a service has written so far."""
    lines = [json.loads(line) for line in log_of(server).splitlines()]
    return [line["message"] for line in lines if line["level"] == "warning"]


def test_keys_change_while_the_service_runs(serve, tmp_path):
    path = tmp_path / "keys.json"
    old = keys_command(path, "add", "old")
    server = serve(FRAUDSCORE_KEYS_FILE=str(path), WEB_CONCURRENCY="2", HOST="0.0.0.0")  # noqa: S104

    def statuses(secret, n=8):
        headers = {"Authorization": f"Bearer {secret}"}
        url = server.url + "/predict"
        answers = [
            requests.post(url, json=valid_row(), headers=headers, timeout=DEADLINE_S)
            for _ in range(n)
        ]
        return {answer.status_code for answer in answers}

    assert statuses(old) == {200}
    assert statuses("wrong") == {401}

    new = keys_command(path, "add", "new")
    wait_for(lambda: statuses(new) == {200}, "the new key is known to every worker")
    assert statuses(old) == {200}

    keys_command(path, "remove", "old")
    wait_for(lambda: statuses(old) == {401}, "the old key is gone from every worker")

    path.write_text("{")
    wait_for(lambda: statuses(new, 1) and "stay in force" in log_of(server), "the file is refused")
    assert statuses(new) == {200}
    assert statuses("") == {401}
    assert OPEN_DOOR not in log_of(server)


def test_public_start_without_keys_warns_once(serve):
    server = serve(HOST="0.0.0.0", WEB_CONCURRENCY="2")  # noqa: S104 (the point of it)

    assert [OPEN_DOOR in line for line in warnings_of(server)] == [True]


@pytest.mark.parametrize("content", [None, "{"], ids=["missing", "damaged"])
def test_cold_start_with_an_unusable_keys_file_ends_in_one_line(model_dir, tmp_path, content):
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content)

    with contextlib.closing(Process(model_dir, FRAUDSCORE_KEYS_FILE=str(path))) as process:
        code, _, lines = process.end()

    assert code == 4
    assert len(lines) == 1
    assert lines[0].startswith(f"fraudscore cannot start: the keys file {path} ")


def test_private_service_is_limited_without_a_warning_and_names_no_version(serve):
    server = serve(FRAUDSCORE_RATE_LIMIT="3/hour", HOST="127.0.0.1")

    answers = [server.post("/predict", valid_row()) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) <= 3600
    assert server.get("/health").status_code == 200
    for answer in answers:
        assert "/" not in answer.headers.get("Server", "")
        assert "X-Powered-By" not in answer.headers
    assert warnings_of(server) == []
