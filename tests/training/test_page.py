"""The design system: what a page shows is in its facts."""

import pytest
from jinja2 import UndefinedError

from tests.training.pages import HTML, assert_is_a_good_page, at, facts_of, parsed, visible
from training.report.formats import formatted
from training.report.page import (
    Cell,
    Code,
    Column,
    Figure,
    Lines,
    Page,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Value,
    resolved,
)
from training.report.page import at as pointer
from training.report.writing import write_page


class Square:
    """A picture that is no plot."""

    def __init__(self, name):
        self.name, self.title = name, name.capitalize()
        self.alt = "A square of the accent colour, drawn by hand."

    def svg(self):
        """Return the square."""
        shape = '<rect width="4" height="4" fill="var(--accent)"></rect>'
        return f'<svg role="img" aria-label="{self.alt}" viewBox="0 0 4 4">{shape}</svg>'

    def png(self):
        """Return no real picture."""
        return b"\x89PNG"


def facts_with(*names, **more):
    """Return the facts that every page needs."""
    readings = {name: f"{name.capitalize()} is 1 of 3." for name in names}
    return {"headline": "It has 3 squares.", "remarks": [], "readings": readings, **more}


def classes(root, tag):
    """Return the classes of every element of a kind."""
    return [element.get("class") for element in root.iter(f"{HTML}{tag}") if element.get("class")]


def test_figures_are_shown_by_their_place_in_the_facts(tmp_path):
    facts = facts_with(**{"a/b": {"c~d": 0.1234, "none": None}, "rate": [2, 1.5, 2.5]})
    facts["estimate"] = {"value": 0.5, "low": 0.25, "high": 0.75}
    rows = [
        ["plain", Value(pointer("a/b", "c~d"), "percent"), "-"],
        [
            Cell("both", under=Value(pointer("rate", 0), "count"), tone="fraud"),
            Value(pointer("estimate"), "percent", has_interval=True),
            Cell(Lines([Code("x = 1"), "two"])),
        ],
        ["nothing", Value(pointer("a/b", "none"), "percent"), ""],
    ]
    table = Table("Rows", [Column("Name"), Column("Share"), Column("Words", is_words=True)], rows)
    tiles = Tiles([Tile("Rate", Value(pointer("rate", 1)))])
    page = Page("Trial", "squares", facts, [Section("Numbers", [tiles, table, Text("Done.")])])

    path = write_page(page, tmp_path / "page.html")

    root = parsed(path)
    shown = {e.get("data-pointer"): e.text for e in root.iter(f"{HTML}data")}
    assert shown == {
        "/rate/1": "1.5000",
        "/a~1b/c~0d": "12.3\u00a0%",
        "/rate/0": "2",
        "/estimate/value": "50.0\u00a0%",
        "/estimate/low": "25.0\u00a0%",
        "/estimate/high": "75.0\u00a0%",
        "/a~1b/none": "–",
    }
    assert facts_of(path) == facts
    assert resolved(facts, "/a~1b/c~0d") == at(facts, "/a~1b/c~0d") == 0.1234
    assert "It has 3 squares." in visible(root)
    assert "line" in classes(root, "span")
    assert_is_a_good_page(path)


@pytest.mark.parametrize(
    ("n_plots", "shapes"), [(1, ["lone"]), (2, [""] * 2), (3, ["", "", "lone"])]
)
def test_neighbouring_figures_share_rows_and_the_odd_one_stands_alone(tmp_path, n_plots, shapes):
    names = ["first", "second", "third"][:n_plots]
    blocks = [Figure(Square(name)) for name in names]
    page = Page("Trial", "squares", facts_with(*names), [Section("Squares", blocks)])

    path = write_page(page, tmp_path / "page.html")

    found = [text.removeprefix("card").strip() for text in classes(parsed(path), "figure")]
    assert found == shapes
    assert sorted(p.name for p in tmp_path.glob("*.png")) == sorted(
        f"page-{name}.png" for name in names
    )
    assert_is_a_good_page(path)


def test_a_plot_without_its_sentence_is_refused(tmp_path):
    blocks = [Figure(Square("first"))]
    page = Page("Trial", "squares", facts_with(), [Section("Squares", blocks)])

    with pytest.raises(UndefinedError, match="first"):
        write_page(page, tmp_path / "page.html")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (None, "count", "–"),
        (None, "json", "null"),
        (1234.0, "count", "1,234"),
        (-0.5, "number", "\u22120.5000"),
        (0.25, "signed", "+0.2500"),
        (-2.345, "contribution", "\u22122.35"),
        (-1234.5, "money", "\u22121,234.50"),
        (12_345_678, "bytes", "12.3\u00a0MB"),
        (5400, "duration", "90.0\u00a0minutes"),
        (7200, "duration", "2.0\u00a0hours"),
        (True, "value", "true"),
        ("fuel", "value", "fuel"),
        (-165.6723, "value", "\u2212165.7"),
    ],
)
def test_values_are_written_as_readers_want_them(value, form, text):
    assert formatted(value, form) == text
