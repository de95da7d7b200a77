"""Reports are parsed: their figures and their form."""

import json
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.training.report_runs import HTML, SVG, read, train_small
from training.report import write_report

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
LARGEST = 5 * 2**20


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Return a run that has everything a report can show."""
    folder = tmp_path_factory.mktemp("full")
    return train_small(folder, base_rate=0.01, split={"validation": "holdout"})


def at(facts, pointer):
    """Return what a JSON pointer points to."""
    for key in pointer.split("/")[1:]:
        facts = facts[int(key) if isinstance(facts, list) else key]
    return facts


def leaves(facts):
    """Return every number among the facts, the points of curves left out."""
    if isinstance(facts, dict):
        return [n for key, part in facts.items() if key != "figures" for n in leaves(part)]
    if isinstance(facts, list):
        return [n for part in facts for n in leaves(part)] + [len(facts)]
    return [facts] if isinstance(facts, int | float) else []


def shows(text, value):
    """Return whether a written number is a value, to the digits written."""
    digits = text.replace(",", "")
    mantissa, _, exponent = digits.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return any(abs(float(digits) - value * scale) <= 0.5001 * unit for scale in (1, 100))


def test_every_figure_on_the_page_is_the_one_in_the_json_file(full, tmp_path):
    root, _, facts = read(write_report(full, tmp_path))

    figures = list(root.iter(f"{HTML}data"))

    assert len(figures) > 100
    for figure in figures:
        value = at(facts, figure.get("data-pointer"))
        assert json.loads(figure.get("value")) == value
        assert shows(NUMBER.search(figure.text).group(), value), figure.get("data-pointer")


def test_configuration_on_the_page_is_the_one_in_the_json_file(full, tmp_path):
    root, _, facts = read(write_report(full, tmp_path))

    shown = [element for element in root.iter(f"{HTML}code") if element.get("data-pointer")]

    assert len(shown) > 40
    for element in shown:
        assert json.loads(element.text) == at(facts, element.get("data-pointer"))


def test_every_number_in_a_sentence_is_a_figure_of_the_report(full, tmp_path):
    _, text, facts = read(write_report(full, tmp_path))
    sentences = [facts["headline"], *facts["remarks"], *facts["readings"].values()]
    figures = [part for name, part in facts.items() if name not in ("readings", "remarks")]
    epochs = [figures["n_epochs"] for figures in (facts["learning"], facts["anomaly"]["learning"])]
    losses = [*facts["learning"]["figures"].values()]
    losses += facts["anomaly"]["learning"]["figures"].values()
    known = leaves(figures) + leaves(losses) + epochs
    # what sentences say by definition: the interval's level, 0.1 % (1 in 1,000), per 10,000
    known += [0.95, 0.001, 1000, 10_000]

    for sentence in sentences:
        assert " ".join(sentence.split()) in text
        for number in NUMBER.findall(sentence):
            assert any(shows(number, value) for value in known), (number, sentence)


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


def test_page_is_one_well_formed_file_that_asks_no_other_host(full, tmp_path):
    page = write_report(full, tmp_path)
    html = page.read_text()

    assert page == tmp_path / "payments" / full.artifact.version / "report.html"
    assert page.stat().st_size < LARGEST
    assert html.startswith("<!DOCTYPE html>")
    assert not re.findall(r"https?://", re.sub(r'xmlns(:\w+)?="[^"]*"', "", html))
    assert not re.findall(r"<script|<link|<img|\ssrc=|@import|url\((?!#)", html)
    identifiers = re.findall(r'\sid="([^"]*)"', html)
    assert len(identifiers) == len(set(identifiers))
    for target in re.findall(r'(?:href="|url\()#([^")]*)', html):
        assert target in identifiers


def test_page_can_be_read_without_seeing_it(full, tmp_path):
    root = ElementTree.fromstring(write_report(full, tmp_path).read_text())  # noqa: S314

    assert root.get("lang") == "en"
    assert len(list(root.iter(f"{HTML}h1"))) == 1
    plots = list(root.iter(f"{SVG}svg"))
    assert len(plots) == 8
    assert all(plot.get("role") == "img" and plot.get("aria-label") for plot in plots)
    for grid in root.iter(f"{HTML}table"):
        assert grid.find(f".//{HTML}th") is not None
        assert all(cell.get("scope") in ("row", "col") for cell in grid.iter(f"{HTML}th"))
    levels = [int(e.tag[-1]) for e in root.iter() if re.fullmatch(rf"{HTML}h[1-6]", e.tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))


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
