"""Reports are parsed: their figures and their form."""

import json
import re
from dataclasses import fields, replace

import numpy as np
import pytest
from matplotlib.image import imread

from model.card import describe
from tests.training.browser import assert_axe_finds_nothing, needs_chromium
from tests.training.pages import (
    FIXED,
    NUMBER,
    assert_figures_are_those_of_the_facts,
    assert_is_a_good_page,
    assert_page_can_be_read_without_seeing_it,
    assert_page_stands_alone,
    facts_of,
    shows,
    strings,
)
from tests.training.report_runs import COMMAND, RIVALS, read
from training.evaluate import evaluate
from training.report import drawing, write_card, write_report
from training.report.formats import formatted


def of_one_class(run, label):
    """Return the run as if its test rows were all of one class."""
    chosen = run.judged.y == label
    arrays = {f.name: getattr(run.judged, f.name) for f in fields(run.judged) if f.name != "part"}
    seen = replace(run.judged, **{name: array[chosen] for name, array in arrays.items()})
    rng = np.random.default_rng(0)
    evaluation = evaluate(seen.y, seen.probability, seen.decision, seen.amounts, 0.01, rng)
    parts = replace(run.parts, test=seen.rows)
    return replace(run, parts=parts, judged=seen, evaluation=evaluation)


def leaves(facts):
    """Return every number among the facts, the points of curves left out."""
    if isinstance(facts, dict):
        return [n for key, part in facts.items() if key != "figures" for n in leaves(part)]
    if isinstance(facts, list):
        return [n for part in facts for n in leaves(part)] + [len(facts)]
    return [facts] if isinstance(facts, int | float) else []


def test_every_figure_on_the_page_is_the_one_in_the_json_file(page):
    assert assert_figures_are_those_of_the_facts(page) > 300


def test_every_number_in_a_sentence_is_a_figure_of_the_report(page):
    _, text, facts = read(page)
    sentences = [facts["headline"], *facts["remarks"], *facts["readings"].values()]
    figures = {name: part for name, part in facts.items() if name not in ("readings", "remarks")}
    losses = [facts["learning"]["figures"], facts["anomaly"]["learning"]["figures"]]
    known = leaves(figures) + [value for by_name in losses for value in leaves([*by_name.values()])]
    labels = sorted(strings([figures["slices"], figures["champion"]]), key=len, reverse=True)

    assert len(sentences) > 20
    for sentence in sentences:
        assert " ".join(sentence.split()) in text
        for label in labels:
            sentence = sentence.replace(label, "")
        for number in NUMBER.findall(sentence):
            is_known = any(shows(number, value, (1, 100)) for value in known)
            assert is_known or number in FIXED, (number, sentence)


def test_figures_are_those_of_the_evaluation(full, page):
    facts = facts_of(page)
    shown, evaluation = facts["evaluation"], full.evaluation

    (tn, fp), (fn, tp) = evaluation.confusion
    legitimate, fraud = shown["decisions"]
    assert (legitimate["counts"]["approved"], fraud["counts"]["approved"]) == (tn, fn)
    assert (legitimate["alerted"], fraud["alerted"]) == (fp, tp)
    assert fraud["shares"]["approved"] == fn / (fn + tp)
    for metric in shown["metrics"]:
        for view, name in zip(metric["views"], ("as_table", "at_base_rate"), strict=True):
            assert view == vars(getattr(evaluation, name).figures[metric["name"]])
    precision = next(m for m in shown["metrics"] if m["name"] == "precision")
    assert shown["operating_points"]["alert"]["precision"] == pytest.approx(
        [view["value"] for view in precision["views"]]
    )


def test_drawn_curves_are_of_the_rows_that_were_evaluated(full, page):
    roc = facts_of(page)["evaluation"]["roc"]

    area = np.trapezoid(roc["recall"], roc["false_positive_rate"])

    expected = full.evaluation.as_table.figures["roc_auc"].value
    assert area == pytest.approx(expected, abs=0.01)


def test_page_is_one_file_that_asks_no_other_host(full, page):
    assert page.parts[-3:] == ("payments", full.artifact.version, "report.html")
    assert_page_stands_alone(page)


def test_page_can_be_read_without_seeing_it(page):
    assert_page_can_be_read_without_seeing_it(page)


@needs_chromium
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_browser_finds_nothing_that_shuts_readers_out(page, scheme, width):
    assert_axe_finds_nothing(page, scheme, width)


def test_colours_follow_the_page(page):
    plots = re.findall(r"<svg.*?</svg>", page.read_text(), flags=re.DOTALL)

    assert len(plots) == 15
    assert all("var(--" in plot and not re.findall(r"#[0-9a-f]{6}\b", plot) for plot in plots)


def test_pictures_beside_the_page_are_large_enough_to_be_shown(page):
    pictures = sorted(page.parent.glob("*.png"))

    assert len(pictures) == 15
    for picture in pictures:
        height, width, _ = imread(picture).shape
        assert min(height, width) > 600


def test_card_says_use_data_limits_metrics_with_intervals_and_daily_alerts(page):
    card, facts = json.loads(page.with_name("card.json").read_text()), facts_of(page)
    text = page.with_name("card.md").read_text()

    assert card["metrics"]["metrics"] == facts["evaluation"]["metrics"]
    assert card["alerts"]["per"] == "day"
    assert card["alerts"]["alerts"] == facts["evaluation"]["alerts"]["policy"]["alerts"]
    assert card["champion"] == facts["readings"]["champion"]
    assert len(card["limits"]) > len(facts["remarks"])
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == [
        *("Use", "Data", "Metrics on 120 test rows", "Business impact", "Alerts"),
        *("Anomalies", "Champion", "Limits", "Reproducibility"),
    ]
    recall = card["metrics"]["metrics"][0]["views"][0]
    shown = [formatted(recall[key], "percent") for key in ("value", "low", "high")]
    assert "| {} ({} to {}) |".format(*shown) in text


def test_same_run_gives_the_same_bytes(full, page, tmp_path):
    again = write_report(full, tmp_path, RIVALS, COMMAND).parent

    names = sorted(path.name for path in page.parent.iterdir())
    assert names == sorted(path.name for path in again.iterdir())
    for name in names:
        assert (page.parent / name).read_bytes() == (again / name).read_bytes(), name


@pytest.mark.parametrize(
    ("label", "says"),
    [
        (0, "There is no fraud among the evaluated rows"),
        (1, "There is no legitimate transaction among the evaluated rows"),
    ],
)
def test_rows_of_one_class_have_no_curves(full, tmp_path, monkeypatch, label, says):
    monkeypatch.setattr(drawing, "RESOLUTION", 30)

    page = write_report(of_one_class(full, label), tmp_path)

    _, text, facts = read(page)
    assert says in text
    assert "The curves are not defined" in text
    assert facts["evaluation"]["roc"] is facts["evaluation"]["alerts"] is None
    names = {path.name for path in page.parent.glob("*.png")}
    assert not {"report-roc.png", "report-precision_recall.png", "report-alerts.png"} & names
    assert "not defined" in page.with_name("card.md").read_text()
    assert_is_a_good_page(page)


def test_card_is_what_the_service_shows_and_when_it_was_trained(full):
    artifact = full.artifact
    before = artifact.path.read_bytes()

    path = write_card(artifact, artifact.path.parent)

    card = json.loads(path.read_text())
    moment = card.pop("trained_at")
    assert path == artifact.path.with_suffix(".json")
    assert card == json.loads(json.dumps(describe(artifact)))
    assert moment.endswith("+00:00")
    assert artifact.path.read_bytes() == before
