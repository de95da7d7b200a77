"""The page of an exploration: its figures are those of the facts, whatever the table holds."""

import numpy as np
import pandas as pd
import pytest

from tests.training.browser import assert_axe_finds_nothing, edges, needs_chromium, opened
from tests.training.explorations import DEGENERATE, explored, payments
from tests.training.pages import NUMBER, assert_is_a_good_page, facts_of, parsed, shows, visible
from training.config_file import load_config
from training.explore import write_exploration

# what sentences say by definition: limits of strength and of chance
LIMITS = (0.6, 0.5, 0.8, 7)


def page_of(frame, folder, **data):
    """Return the page of a frame's exploration."""
    config = load_config(None, {"reports": str(folder), "name": "payments"})
    return write_exploration(explored(frame, **data), config)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return the page of a table that has everything a page can show."""
    frame = payments().assign(
        leak=lambda own: own["fraud"], cents=lambda own: own["amount"] * 100, fixed=1
    )
    return page_of(pd.concat([frame, frame[:20]]), tmp_path_factory.mktemp("page"))


def numbers(facts):
    """Return every number among the facts."""
    if isinstance(facts, dict):
        return [n for part in facts.values() for n in numbers(part)]
    if isinstance(facts, list):
        return [n for part in facts for n in numbers(part)] + [len(facts)]
    return [facts] if isinstance(facts, int | float) else []


def test_page_shows_its_facts_and_stands_alone(page):
    assert page.parts[-3:] == ("payments", "explore", "report.html")
    assert_is_a_good_page(page)
    titles = {visible(head) for head in parsed(page).iter("{http://www.w3.org/1999/xhtml}h2")}
    assert {"Advice", "Columns", "Amounts", "Time", "Features", "Categories", "Drift"} <= titles


def test_every_number_in_a_sentence_is_a_figure_of_the_report(page):
    facts = facts_of(page)
    known = [*numbers(facts), *LIMITS, 24 - 1, *range(24)]  # hours as clocks have them
    sentences = [facts["headline"], *facts["remarks"], *facts["readings"].values()]
    sentences += [own["text"] for own in facts["advice"]]
    names = sorted(
        [own["name"] for own in facts["columns"]] + [facts["time"]["first"], facts["time"]["last"]],
        key=len,
        reverse=True,
    )

    for sentence in sentences:
        rest = sentence
        for name in names:
            rest = rest.replace(name, "")
        for number in NUMBER.findall(rest):
            assert any(shows(number, value) for value in known), (number, sentence)


def test_page_of_a_table_without_labels_has_no_classes(tmp_path):
    page = page_of(payments(300)[["amount", "signal", "city"]], tmp_path)

    assert_is_a_good_page(page)
    text = visible(parsed(page))
    assert "There are no labels" in text
    assert "legitimate rows" not in text.partition("How it was made")[0].partition("Columns")[2]


def test_same_table_gives_the_same_bytes(tmp_path):
    frame = payments(200)[["signal", "city", "fraud"]]
    first, second = (page_of(frame, tmp_path / name).parent for name in "ab")

    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    assert len(names) > 4
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_headline_says_what_is_fraud_of_what():
    frame = payments(300)
    headline = explored(frame)["headline"]

    share = frame["fraud"].mean()
    assert headline.startswith("300 rows with 9 features; ")
    assert f"{share:.1%} of the rows are fraud" in headline.replace("\u00a0%", "%")


def test_years_are_no_quantities(tmp_path):
    frame = payments(300).assign(year_of_birth=lambda own: 1950 + own.index % 50)

    text = visible(parsed(page_of(frame, tmp_path)))

    assert "1999" in text
    assert "1,999" not in text


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_wider_than_a_phone_scrolls_and_shows_it(page, scheme):
    with opened(page, scheme, 390) as tab:
        menu = edges(tab, "nav")
        whole = edges(tab, ".scroll")
        tab.evaluate("document.querySelector('nav').scrollLeft = 10_000")
        ended = edges(tab, "nav")
    assert menu["hidden"] > 0
    assert menu["right"] != menu["page"]
    assert ended["left"] != ended["page"]
    assert ended["right"] == ended["page"]
    if not whole["hidden"]:
        assert whole["left"] == whole["right"] == whole["page"]


@needs_chromium
def test_axe_finds_nothing_and_nothing_is_cut_off(page):
    assert_axe_finds_nothing(page, "dark", 390)


DRAWN = ("nothing at all", "names that are markup")


@pytest.mark.parametrize("frame", DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_table_is_told_about_not_stumbled_over(frame):
    facts = explored(frame)

    assert facts["headline"].endswith(".")
    assert facts["advice"]
    assert all(np.isfinite(numbers(facts)))
    assert (facts["command"] is None) != (facts["refusal"] is None)


@pytest.mark.parametrize("name", DRAWN)
def test_degenerate_table_gives_a_good_page(tmp_path, name):
    assert_is_a_good_page(page_of(DEGENERATE[name], tmp_path))


def test_what_is_missing_is_said():
    found = {name: explored(frame) for name, frame in DEGENERATE.items()}
    headlines = {name: facts["headline"] for name, facts in found.items()}
    topics = {name: [own["topic"] for own in facts["advice"]] for name, facts in found.items()}

    assert "no second class" in headlines["no fraud"]
    assert "no labels" in headlines["labels that are none"]
    assert "too few of one class" in headlines["one fraud"]
    assert headlines["one row"].startswith("1 row with ")
    assert "Only one class" in topics["no fraud"]
    assert "Remove rows without a label" in topics["some labels missing"]
    assert "Unreadable values" in topics["no finite number"]
    assert "Columns without values" in topics["all missing"]
    assert "Drop constant columns" in topics["constant columns"]
    assert "No features" in topics["labels alone"]
    assert "Negative amounts" in topics["refunds"]
