"""The closed-loop load generator tells answers apart and counts what got none."""

import asyncio

import pytest

from benchmarks.closed_loop import OTHER, Plan, carry_out
from tests.benchmarks.test_open_loop import answering

BODIES = [b'{"Amount":1}', b'{"Amount":1} ']
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"


@pytest.fixture
def seen_by_one_client(tmp_path):
    """Return a function that posts for a short time and returns what was seen."""

    def post(port, *bodies, **facts):
        files = [tmp_path / f"{number}.json" for number, _ in enumerate(bodies)]
        for path, body in zip(files, bodies, strict=True):
            path.write_bytes(body)
        facts = {"clients": 1, "seconds": 0.2, "pause_s": 0.001, **facts}
        return asyncio.run(carry_out(Plan(port, "/predict", list(map(str, files)), **facts)))

    return post


def test_answers_are_counted_by_body_status_and_content(seen_by_one_client):
    script = {1: REFUSED, 3: LAST}
    with answering(lambda number: script.get(number, ANSWER)) as port:
        outcome = seen_by_one_client(port, *BODIES)

    first, second = outcome["answers"]
    assert {(status, text) for status, text, _ in first} == {(200, "{}")}
    assert {(s, text): n for s, text, n in second if (s, text) != (200, "{}")} == {
        (503, ""): 1,
        (200, "[]"): 1,
    }
    n_answers = sum(n for answers in outcome["answers"] for *_, n in answers)
    assert n_answers == len(outcome["latencies"])
    assert outcome["lost"] == {}


def test_request_without_a_whole_answer_is_lost_and_the_client_goes_on(
    seen_by_one_client, monkeypatch
):
    monkeypatch.setattr("benchmarks.closed_loop.PATIENCE_S", 0.05)
    script = {1: None, 3: CUT}
    with answering(lambda number: script.get(number, ANSWER)) as port:
        outcome = seen_by_one_client(port, BODIES[0], seconds=0.5)

    assert outcome["lost"] == {"closed without an answer": 1, "no answer in time": 1}
    assert len(outcome["latencies"]) > 2


def test_nobody_who_listens_is_a_loss_for_every_request(seen_by_one_client):
    with answering(lambda _: ANSWER) as port:
        pass

    outcome = seen_by_one_client(port, BODIES[0])

    assert outcome["latencies"] == []
    assert outcome["lost"].keys() == {"ConnectionRefusedError"}


def test_each_request_has_a_connection_of_its_own_where_none_is_kept(seen_by_one_client):
    with answering(lambda _: ANSWER) as port:
        outcome = seen_by_one_client(port, BODIES[0], keeps_connection=False)

    assert outcome["lost"] == {}
    assert len(outcome["latencies"]) > 1


def test_different_answers_beyond_a_number_count_as_one(seen_by_one_client):
    def respond(number):
        body = str(number).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    with answering(respond) as port:
        outcome = seen_by_one_client(port, BODIES[0], pause_s=0)

    (answers,) = outcome["answers"]
    assert len(answers) == 21
    assert {text for _, text, n in answers if n > 1} == {OTHER}
