"""What is counted of requests, exactly."""

import os
import shutil
import subprocess
import sys
import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flask import request
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app import create_app
from app.observability import metrics
from app.observability.counts import Counts, Histogram
from app.observability.metrics import METRICS
from app.observability.observer import Observer
from app.observability.problem_codes import CODES, OTHER
from app.observability.request_log import RequestLog
from app.record import RequestRecord, current_record
from app.refusal import REFUSAL, RefusedError
from model.rare import encode
from tests.app.champions import point_to
from tests.app.scrapes import Scrape
from tests.factories import TINY_FEATURES, save_tiny, valid_row, write_tiny_artifact

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def scrape(client):
    """Return a function that reads the metrics of the service."""
    return lambda: Scrape(client.get("/metrics").text)


@pytest.fixture
def version(champion):
    """Return the labels that tell the model."""
    return {"model": champion.artifact.name, "version": champion.artifact.version}


def test_every_metric_is_there_before_anything_happened(scrape, version):
    found = scrape()

    names = {family.name for family in found.families if not family.name.startswith("process_")}
    assert names == {name.removesuffix("_total") for name in METRICS}
    for decision in ("approve", "review", "block"):
        assert found.total("fraud_predictions_total", decision=decision, **version) == 0
    assert {s.labels["code"] for s in found.of("fraud_validation_errors_total")} == set(CODES)


def test_requests_are_counted_by_route_method_and_status(client, scrape):
    client.post("/predict", json=valid_row())
    client.post("/predict", json=valid_row())
    client.post("/predict", json={})
    client.get("/predict")
    client.get("/health")
    client.get("/4000-1234-5678")
    client.open("/health", method="FORGE{}")

    found = {
        (s.labels["route"], s.labels["method"], s.labels["code"]): s.value
        for s in scrape().of("fraud_http_requests_total")
    }

    assert found == {
        ("/predict", "POST", "200"): 2,
        ("/predict", "POST", "422"): 1,
        ("unmatched", "GET", "405"): 1,
        ("/health", "GET", "200"): 1,
        ("unmatched", "GET", "404"): 1,
        ("unmatched", "other", "405"): 1,
    }


def test_scrape_sees_itself_in_progress_and_its_predecessor_done(scrape):
    first, second = scrape(), scrape()

    assert first.total("fraud_http_requests_in_progress") == 1
    assert second.total("fraud_http_requests_in_progress") == 1
    assert second.total("fraud_http_requests_total", route="/metrics") == 1


def test_durations_are_counted_by_route(client, scrape):
    for _ in range(3):
        client.post("/predict", json=valid_row())

    found = scrape()

    name = "fraud_http_request_duration_seconds"
    assert found.total(f"{name}_count", route="/predict") == 3
    assert found.total(f"{name}_bucket", route="/predict", le="+Inf") == 3
    assert 0 < found.total(f"{name}_sum", route="/predict") < 60
    assert sum(found.buckets(name, route="/predict")) == 3


@pytest.mark.parametrize("n_rows", [1, 5, 200])
def test_scores_and_decisions_are_those_of_the_answers(client, scrape, version, n_rows):
    rng = np.random.default_rng(5)
    rows = [valid_row(V1=value) for value in rng.normal(scale=2, size=n_rows).tolist()]

    response = client.post("/predict?anomaly=true", json=rows)
    found = scrape()

    answers = response.get_json()["predictions"]
    decisions = Counter(row["decision"] for row in answers)
    for decision in ("approve", "review", "block"):
        value = found.total("fraud_predictions_total", decision=decision, **version)
        assert value == decisions[decision]
    assert found.total("fraud_transactions_total", route="/predict") == n_rows
    for name, key in (("fraud_score", "score"), ("fraud_anomaly_score", "anomaly_score")):
        values = [row[key] for row in answers]
        bounds = METRICS[name].bounds
        places = Counter(bisect_left(bounds, value) for value in values)
        expected = [places[place] for place in range(len(bounds) + 1)]
        assert found.buckets(name, **version) == expected
        assert found.total(f"{name}_sum", **version) == pytest.approx(sum(values))


def test_anomalies_are_counted_on_both_routes(client, scrape, version):
    rows = [valid_row(), valid_row(Amount=1e9, V1=300)]

    flags = [row["is_anomaly"] for row in client.post("/anomaly", json=rows).json["predictions"]]
    client.post("/predict?anomaly=true", json=rows)

    found = scrape()
    assert flags.count(True) == 1
    assert found.total("fraud_anomalies_total", **version) == 2
    assert found.total("fraud_anomaly_score_count", **version) == 4


def test_unusual_values_are_counted_by_feature(client, scrape):
    rows = [
        valid_row(V2=None, is_new_device=None),
        valid_row(V2=...),
        valid_row(merchant_category="never seen", V1=1e300),
        valid_row(merchant_category="nor this"),
    ]

    client.post("/predict", json=rows)
    found = scrape()

    def by_feature(name):
        return {sample.labels["feature"]: sample.value for sample in found.of(name)}

    assert by_feature("fraud_input_missing_total") == {"V2": 2, "is_new_device": 1}
    assert by_feature("fraud_input_unknown_category_total") == {"merchant_category": 2}
    out_of_range = by_feature("fraud_input_out_of_range_total")
    assert out_of_range["V1"] == 1
    assert set(out_of_range) == {f.name for f in TINY_FEATURES if f.kind in ("numeric", "datetime")}


def test_rare_categories_are_no_unknown_ones(tmp_path):
    merchants = replace(TINY_FEATURES[4], rare=encode(["kiosk", "market"]))
    path = write_tiny_artifact(tmp_path, features=(*TINY_FEATURES[:4], merchants, TINY_FEATURES[5]))
    client = create_app({"MODEL_DIR": tmp_path}).test_client()
    names = ("kiosk", "market", "kiosk", "never seen", "games")

    reply = client.post("/predict", json=[valid_row(merchant_category=name) for name in names])

    found = Scrape(client.get("/metrics").text)
    label = {"feature": "merchant_category"}
    assert found.total("fraud_input_rare_category_total", **label) == 3
    assert found.total("fraud_input_unknown_category_total", **label) == 1
    probability = [row["probability"] for row in reply.get_json()["predictions"]]
    assert probability[0] == probability[1] == probability[3] != probability[4]
    card = client.get("/model").get_json()
    assert card["version"] == path.stem
    assert [feature["rare"] for feature in card["features"]] == [0, 0, 0, 0, 2, 0]


JSON = {"content_type": "application/json"}
REFUSALS = [
    ({"json": valid_row(Amount="12")}, ["not_a_number"]),
    ({"json": valid_row(Amount=-1, V1=True)}, ["out_of_bounds", "not_a_number"]),
    ({"json": valid_row(Amount=..., V1=None)}, ["missing", "null"]),
    ({"json": valid_row(is_new_device=1, merchant_category=3)}, ["not_a_boolean", "not_a_string"]),
    ({"json": valid_row(transaction_time="soon")}, ["not_a_datetime"]),
    ({"json": valid_row(transaction_time=5)}, ["not_a_datetime"]),
    ({"json": valid_row(V9=1, Amuont=2)}, ["unknown_field", "unknown_field"]),
    ({"json": valid_row(transaction_id=1.5)}, ["not_an_identifier"]),
    ({"json": [valid_row(), 7]}, ["not_an_object"]),
    ({"json": []}, ["no_rows"]),
    ({"json": [valid_row()] * 6}, ["too_many_rows"]),
    ({"json": "text"}, ["not_transactions"]),
    ({"json": {"transactions": 3}}, ["not_transactions"]),
    ({"json": {"transactions": [valid_row()], "more": 1}}, ["unknown_field"]),
    ({"data": b'{"V1": 1' + b"0" * 400 + b"}", **JSON}, ["malformed_json"]),
    ({"data": b"{", **JSON}, ["malformed_json"]),
    ({"data": b'{"a": NaN}', **JSON}, ["malformed_json"]),
    ({"data": b'{"V1": 1, "V1": 2}', **JSON}, ["repeated_key"]),
    ({"data": b"", **JSON}, ["empty_body"]),
    ({"data": b" " * 5000, **JSON}, ["body_too_large"]),
    ({"data": b"{}", "content_type": "text/plain"}, ["media_type"]),
    ({"data": b"{}", "headers": {"Content-Encoding": "gzip"}, **JSON}, ["content_coding"]),
    ({"json": valid_row(), "query_string": "explain=maybe"}, ["not_a_boolean"]),
    ({"json": valid_row(), "query_string": "explain=1&explain=1"}, ["repeated_option"]),
    ({"json": valid_row(), "query_string": "exlpain=1"}, ["unknown_field"]),
    ({"data": b"{}", "environ_overrides": {"CONTENT_LENGTH": "9"}, **JSON}, ["unreadable_body"]),
]


@pytest.mark.parametrize(("request_", "codes"), REFUSALS)
def test_reasons_of_a_refusal_are_counted_by_code(model_dir, request_, codes):
    app = create_app({"MODEL_DIR": model_dir, "MAX_ROWS": 5, "MAX_BODY_BYTES": 4096})
    client = app.test_client()

    response = client.post("/predict", **request_)

    counted = Scrape(client.get("/metrics").text).of("fraud_validation_errors_total")
    assert 400 <= response.status_code < 500
    assert {s.labels["code"]: s.value for s in counted if s.value} == Counter(codes)


def test_request_without_a_host_is_counted(app, scrape):
    environ = EnvironBuilder("/health").get_environ()
    del environ["HTTP_HOST"]

    run_wsgi_app(app, environ)

    assert scrape().total("fraud_validation_errors_total", code="no_host") == 1


def test_every_code_has_its_refusal():
    named = {code for _, codes in REFUSALS for code in codes} | {"no_host"}

    # The parser refuses infinite numbers before the features are looked at.
    assert set(CODES) - named == {OTHER, "not_finite"}


def test_more_problems_than_are_listed_are_counted_as_far_as_they_are_listed(client, scrape):
    client.post("/predict", json=[valid_row(V1="x")] * 500)

    assert scrape().total("fraud_validation_errors_total", code="not_a_number") == 100
    assert scrape().total("fraud_validation_errors_total") == 100


def test_what_is_not_about_the_content_is_no_validation_error(client, scrape):
    client.get("/nothing")
    client.get("/predict")

    assert scrape().total("fraud_validation_errors_total") == 0


def test_model_that_answers_is_told(champion, scrape, version):
    found = scrape()

    (info,) = found.of("fraud_model_info")
    assert info.value == 1
    assert info.labels == {
        "name": version["model"],
        "version": version["version"],
        "sha256": champion.artifact.sha256,
    }
    assert found.total("fraud_model_load_timestamp_seconds") == champion.loaded_at
    assert {s.labels["result"]: s.value for s in found.of("fraud_model_swaps_total")} == {
        "swapped": 0,
        "refused": 0,
    }


def test_new_champions_are_counted_and_each_version_keeps_its_numbers(model_dir, tmp_path):
    folder = Path(shutil.copytree(model_dir, tmp_path / "own"))
    app = create_app({"MODEL_DIR": folder})
    client, store = app.test_client(), app.extensions["fraudscore"]
    first = store.current().artifact
    second, third = (save_tiny(folder, seed=seed) for seed in (1, 2))
    third.path.write_bytes(b"damaged")

    client.post("/predict", json=valid_row())
    point_to(second)
    store.refresh()
    client.post("/predict", json=[valid_row()] * 2)
    point_to(third)
    store.refresh()

    found = Scrape(client.get("/metrics").text)
    swaps = {s.labels["result"]: s.value for s in found.of("fraud_model_swaps_total")}
    assert swaps == {"swapped": 1, "refused": 1}
    assert found.total("fraud_workers_degraded") == 1
    assert [s.labels["version"] for s in found.of("fraud_model_info")] == [second.version]
    assert found.total("fraud_predictions_total", version=first.version) == 1
    assert found.total("fraud_predictions_total", version=second.version) == 2
    assert len(found.of("fraud_input_missing_total", feature="V2")) == 1


def test_what_the_worker_refused_by_itself_is_counted(client, scrape):
    refusal = RefusedError(431, "The header is too long.")

    response = client.get("/health", environ_overrides={REFUSAL: refusal})

    assert response.get_json()["detail"] == "The header is too long."
    labels = {"route": "unmatched", "method": "GET", "code": "431"}
    assert scrape().total("fraud_http_requests_total", **labels) == 1


def test_form_is_negotiated(client):
    text = client.get("/metrics")
    wanted = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    open_metrics = client.get("/metrics", headers={"Accept": wanted})

    assert text.content_type.startswith("text/plain; version=0.0.4")
    assert open_metrics.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert {f.name for f in openmetrics(open_metrics.text)} == {
        f.name for f in Scrape(text.text).families
    }


def test_names_are_as_prometheus_wants_them():
    for name, metric in METRICS.items():
        assert (metric.kind == "counter") == name.endswith("_total")
        assert metric.bounds == tuple(sorted(metric.bounds))
        assert (metric.kind == "histogram") == bool(metric.bounds)


@pytest.mark.parametrize("n_values", [1, 16, 17, 3000])
def test_histogram_counts_one_by_one_as_it_counts_many(n_values):
    values = np.random.default_rng(0).integers(0, 1001, n_values).tolist()
    values[0] = 50  # a bound belongs to the bucket that it ends
    many, single = Histogram(metrics.SCORE), Histogram(metrics.SCORE)

    many.add_all(values)
    for value in values:
        single.add(value)

    assert many.values() == single.values()
    assert sum(single.values()[:-1]) == n_values


def test_threads_lose_no_count(champion):
    counts = Counts()
    record = RequestRecord("r", "GET")

    def many():
        for _ in range(2000):
            counts.begin()
            counts.end(record, 0.001)

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    series = counts.series(champion.artifact)
    assert series["fraud_http_requests_total", ("unmatched", "GET", "500")] == [16_000]
    assert series["fraud_http_requests_in_progress", ()] == [0]


def test_process_that_ends_leaves_all_it_counted(model_dir, tmp_path):
    """It ends before its next turn to publish."""
    code = f"""
from app import create_app
client = create_app({{"MODEL_DIR": {str(model_dir)!r}, "RUN_DIR": {str(tmp_path)!r}}}).test_client()
for _ in range(7):
    client.get("/health")
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)  # noqa: S603

    client = create_app({"MODEL_DIR": model_dir, "RUN_DIR": tmp_path}).test_client()
    found = Scrape(client.get("/metrics").text)

    assert found.total("fraud_http_requests_total", route="/health") == 7
    assert found.total("fraud_workers") == 1


def test_lines_that_the_output_did_not_take_are_counted(app):
    log = RequestLog("INFO", os.open("/dev/full", os.O_WRONLY))
    observer = Observer(app.extensions["fraudscore"], None, log, None, None)

    for _ in range(3):
        observer.end(RequestRecord("r", "GET"))

    series, _ = observer.collect()
    assert series[metrics.LINES_DROPPED.name, ()] == [3]


def test_folder_that_takes_no_numbers_costs_no_answer(model_dir, tmp_path, caplog):
    (tmp_path / "metrics").write_text("in the way")
    client = create_app({"MODEL_DIR": model_dir, "RUN_DIR": tmp_path}).test_client()

    answers = [client.post("/predict", json=valid_row()) for _ in range(3)]
    found = Scrape(client.get("/metrics").text)

    assert [answer.status_code for answer in answers] == [200] * 3
    assert found.total("fraud_http_requests_total", route="/predict") == 3
    assert [record.getMessage() for record in caplog.records] == ["metrics not published"]


def test_failure_to_observe_costs_no_answer(app, caplog):
    def odd():
        current_record(request.environ).facts = {"not for JSON": object()}
        return "answered"

    app.get("/odd")(odd)

    response = app.test_client().get("/odd", headers={"X-Request-ID": "r-3"})

    assert response.text == "answered"
    (line,) = caplog.records
    assert line.getMessage() == "not observed"
    assert line.facts == {"request_id": "r-3"}
