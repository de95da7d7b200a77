"""Reports are parsed: their figures and their form."""

import re

import numpy as np
import pytest

from tests.training.browser import assert_axe_finds_nothing, needs_chromium
from tests.training.pages import (
    FIXED,
    NUMBER,
    assert_figures_are_those_of_the_facts,
    assert_page_can_be_read_without_seeing_it,
    assert_page_stands_alone,
    shows,
)
from tests.training.report_runs import read, train_small
from training.report import write_report


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Return a run that has everything a report can show."""
    folder = tmp_path_factory.mktemp("full")
    return train_small(folder, base_rate=0.01, split={"validation": "holdout"})


def leaves(facts):
    """Return every number among the facts, the points of curves left out."""
    if isinstance(facts, dict):
        return [n for key, part in facts.items() if key != "figures" for n in leaves(part)]
    if isinstance(facts, list):
        return [n for part in facts for n in leaves(part)] + [len(facts)]
    return [facts] if isinstance(facts, int | float) else []


def test_every_figure_on_the_page_is_the_one_in_the_json_file(full, tmp_path):
    page = write_report(full, tmp_path)

    assert assert_figures_are_those_of_the_facts(page) > 200


def test_every_number_in_a_sentence_is_a_figure_of_the_report(full, tmp_path):
    _, text, facts = read(write_report(full, tmp_path))
    sentences = [facts["headline"], *facts["remarks"], *facts["readings"].values()]
    figures = [part for name, part in facts.items() if name not in ("readings", "remarks")]
    epochs = [figures["n_epochs"] for figures in (facts["learning"], facts["anomaly"]["learning"])]
    losses = [*facts["learning"]["figures"].values()]
    losses += facts["anomaly"]["learning"]["figures"].values()
    known = leaves(figures) + leaves(losses) + epochs

    for sentence in sentences:
        assert " ".join(sentence.split()) in text
        for number in NUMBER.findall(sentence):
            is_known = any(shows(number, value, (1, 100)) for value in known)
            assert is_known or number in FIXED, (number, sentence)


def test_figures_are_those_of_the_evaluation(full, tmp_path):
    _, _, facts = read(write_report(full, tmp_path))
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


@pytest.mark.parametrize("test_share", [0.2, 0.0])
def test_drawn_curves_are_of_the_rows_that_were_evaluated(tmp_path, test_share):
    split = {"validation": "cross_fit", "test_share": test_share}
    result = train_small(tmp_path, split=split)
    _, _, facts = read(write_report(result, tmp_path))
    roc = facts["evaluation"]["roc"]

    area = np.trapezoid(roc["recall"], roc["false_positive_rate"])

    expected = result.evaluation.as_table.figures["roc_auc"].value
    assert area == pytest.approx(expected, abs=0.01)


def test_page_is_one_file_that_asks_no_other_host(full, tmp_path):
    page = write_report(full, tmp_path)

    assert page == tmp_path / "payments" / full.artifact.version / "report.html"
    assert_page_stands_alone(page)


def test_page_can_be_read_without_seeing_it(full, tmp_path):
    assert_page_can_be_read_without_seeing_it(write_report(full, tmp_path))


@needs_chromium
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_browser_finds_nothing_that_shuts_readers_out(full, tmp_path, scheme, width):
    assert_axe_finds_nothing(write_report(full, tmp_path), scheme, width)


def test_colours_follow_the_page_and_pictures_lie_beside_it(full, tmp_path):
    page = write_report(full, tmp_path)
    plots = re.findall(r"<svg.*?</svg>", page.read_text(), flags=re.DOTALL)

    assert all("var(--" in plot and not re.findall(r"#[0-9a-f]{6}\b", plot) for plot in plots)
    pictures = sorted(page.parent.glob("*.png"))
    assert len(pictures) == len(plots)
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


def test_same_run_gives_the_same_bytes(full, tmp_path):
    first, second = (write_report(full, tmp_path / name).parent for name in ("a", "b"))

    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
