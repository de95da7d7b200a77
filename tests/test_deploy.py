"""Alert rules and dashboard ask for metrics and labels that the service really has."""

import json
import re
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from app import create_app
from app.access.keys import APIKey, write_keys
from tests.app.scrapes import Scrape
from tests.factories import valid_row, write_tiny_artifact

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((DEPLOY / "dashboard.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{f"{panel['title']}:{t['refId']}": t["expr"] for panel in PANELS for t in panel["targets"]},
}
FROM_PROMETHEUS = {"job", "instance"}  # labels that a scrape adds
WORDS = {
    *("sum", "max", "count", "rate", "increase", "abs", "absent", "time", "topk"),
    *("histogram_quantile", "by", "on", "group_left", "and", "or", "offset"),
}
SELECTOR = re.compile(r"([a-z_]+)\{([^{}]*)\}")
MATCHER = re.compile(r'([a-z_]+)(=~|!~|!=|=)"([^"]*)"')


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Return a real scrape, after a request of each kind."""
    directory = tmp_path_factory.mktemp("models") / "tiny"
    write_tiny_artifact(directory)
    key, secret = APIKey.generate("checkout")
    write_keys(directory / "keys.json", (key,))
    guarded = {"KEYS_FILE": directory / "keys.json", "RATE_LIMIT": "1000/second"}
    client = create_app({"MODEL_DIR": directory, **guarded}).test_client()
    client.environ_base["HTTP_X_API_KEY"] = secret
    client.post("/predict?anomaly=true", json=valid_row(merchant_category="new"))
    client.post("/anomaly", json=valid_row())
    client.post("/predict", json={})
    return Scrape(client.get("/metrics").text)


def labels_of(found, name):
    """Return the labels that the samples of a name carry."""
    return {label for sample in found.of(name) for label in sample.labels} | FROM_PROMETHEUS


def plain(expression):
    """Return an expression without selectors, ranges and strings: names and words are left."""
    return re.sub(r"\{[^{}]*\}|\[[^\]]*\]|\"[^\"]*\"|\boffset \w+", " ", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_every_metric_of_an_expression_exists(found, expression):
    exist = {sample.name for sample in found.samples}
    clauses = re.sub(r"\b(by|on|group_left) \([^)]*\)", " ", plain(expression))

    names = set(re.findall(r"[a-z_]{2,}", clauses)) - WORDS
    assert names
    assert names <= exist


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_every_label_of_an_expression_exists(found, expression):
    for name, matchers in SELECTOR.findall(expression):
        parts = MATCHER.findall(matchers)
        assert ", ".join("".join((a, b, f'"{c}"')) for a, b, c in parts) == matchers
        assert {label for label, _, _ in parts} <= labels_of(found, name)
        for label, operator, value in parts:
            if operator == "=":
                assert found.of(name, **{label: value}), f"{name} never has {label}={value}"

    names = set(re.findall(r"[a-z_]{2,}", plain(expression))) - WORDS
    known = set().union(*(labels_of(found, name) for name in names))
    for clause in re.findall(r"\b(?:by|on|group_left) \(([^)]*)\)", expression):
        assert set(filter(None, clause.split(", "))) <= known


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_brackets_of_an_expression_close(expression):
    open_brackets = []
    for sign in re.sub(r'"[^"]*"', "", expression):
        if sign in "([{":
            open_brackets.append(sign)
        elif sign in ")]}":
            assert open_brackets.pop() + sign in ("()", "[]", "{}")

    assert open_brackets == []


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_counters_are_read_as_rates(expression):
    counters = re.findall(r"\b(\w+)\([a-z_]+_(?:total|bucket|count|sum)\b", expression)

    assert set(counters) <= {"rate", "increase"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_rule_says_what_is_wrong_and_what_to_do(rule):
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[mh]", rule["for"])
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description"}
    assert len(rule["annotations"]["summary"]) < 90
    assert len(rule["annotations"]["description"].split()) >= 15


def test_values_in_texts_are_labels_that_the_alert_has():
    for rule in RULES:
        used = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        grouped = set(re.findall(r"by \((\w+)\)", rule["expr"]))

        assert used <= grouped, rule["alert"]


def test_names_of_rules_are_unique():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_dashboard_can_be_imported_anywhere():
    names = [variable["name"] for variable in DASHBOARD["templating"]["list"]]

    assert DASHBOARD["uid"] == "fraudscore"
    assert names == ["datasource", "job"]
    for panel in PANELS:
        for part in (panel, *panel["targets"]):
            assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert all('job=~"$job"' in target["expr"] for target in panel["targets"])


def test_panels_are_named_described_and_side_by_side():
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    assert all(panel["description"] and panel["targets"] for panel in PANELS)
    for first, second in combinations(DASHBOARD["panels"], 2):
        a, b = first["gridPos"], second["gridPos"]
        is_beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        is_apart = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert is_beside or is_apart, (first["title"], second["title"])


def test_dashboard_shows_every_metric(found):
    shown = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    names = {sample.name for sample in found.samples if sample.name.startswith("fraud_")}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in names}

    assert {name for name in families if name not in shown} == set()
