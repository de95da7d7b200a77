"""What every report must be: read by a strict parser, and held against its own JSON file."""

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib

HTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
LARGEST = 5 * 2**20
SCALES = (1, 100, 1e-3, 1e-6, 1e-9, 1 / 60, 1 / 3600, 1 / 86_400)  # %, kB to GB, minutes to days
# what pages say by definition: a level of confidence, a rate, SHA-256, so many transactions
FIXED = {"95", "0.1", "0.5", "256", "1,000", "10,000", "100,000"}


def parsed(page: Path) -> Element:
    """Return the page as a strict parser reads it; what is not valid HTML raises."""
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), strict=True)
    return parser.parse(page.read_text(encoding="utf-8"))


def facts_of(page: Path) -> dict:
    """Return the figures in the JSON file beside a page."""
    return json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))


def visible(root: Element, leave_out: tuple[str, ...] = ()) -> str:
    """Return the text that a reader sees, plots and some elements left out."""
    skipped = {f"{SVG}svg", *(f"{HTML}{name}" for name in ("style", "title", *leave_out))}

    def texts(element: Element):
        if element.tag not in skipped:
            yield element.text or ""
            for child in element:
                yield from texts(child)
                yield child.tail or ""

    return " ".join("".join(texts(root)).split())


def at(facts, pointer):
    """Return what a JSON pointer leads to."""
    for key in pointer.split("/")[1:]:
        name = key.replace("~1", "/").replace("~0", "~")
        facts = facts[int(name) if isinstance(facts, list) else name]
    return facts


def shows(text: str, value: float, scales: tuple[float, ...] = SCALES) -> bool:
    """Return whether a written number is a value, to the digits written."""
    digits = text.replace(",", "")
    mantissa, _, exponent = digits.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return any(abs(float(digits) - abs(value) * scale) <= 0.5001 * unit for scale in scales)


def strings(facts) -> list[str]:
    """Return every text among the facts."""
    if isinstance(facts, dict):
        return [text for key, part in facts.items() for text in [key, *strings(part)]]
    if isinstance(facts, list):
        return [text for part in facts for text in strings(part)]
    return [facts] if isinstance(facts, str) else []


def assert_figures_are_those_of_the_facts(page: Path) -> int:
    """Hold every number of a page against its JSON file; return how many there are."""
    root, facts = parsed(page), facts_of(page)
    figures = list(root.iter(f"{HTML}data"))
    for figure in figures:
        value = at(facts, figure.get("data-pointer"))
        assert json.loads(figure.get("value")) == value
        if isinstance(value, int | float) and not isinstance(value, bool):
            assert shows(NUMBER.search(figure.text).group(), value), figure.get("data-pointer")
    rest = visible(root, ("data", "code"))
    for text in sorted(strings(facts), key=len, reverse=True):
        if any(sign.isdigit() for sign in text):
            rest = rest.replace(" ".join(text.split()), " ")
    assert set(NUMBER.findall(rest)) <= FIXED
    return len(figures)


def assert_page_stands_alone(page: Path) -> None:
    """One file of bounded size, without scripts, that asks no other host."""
    html = page.read_text(encoding="utf-8")
    assert page.stat().st_size < LARGEST
    namespaces = re.sub(r'xmlns(:\w+)?="[^"]*"', "", html)
    assert not re.findall(r"https?://", namespaces)
    assert not re.findall(r"<script|<link|<img|<iframe|\ssrc=|@import|url\((?!#)", html)
    identifiers = re.findall(r'\sid="([^"]*)"', html)
    assert len(identifiers) == len(set(identifiers))
    for target in re.findall(r'(?:href="|url\()#([^")]*)', html):
        assert target in identifiers
    pictures = {path.name for path in page.parent.glob(f"{page.stem}-*.png")}
    assert len(pictures) == html.count("<svg")


def assert_page_can_be_read_without_seeing_it(page: Path) -> None:
    """Language, one title, headings in order, heads of tables, words for plots."""
    root = parsed(page)
    assert root.get("lang") == "en"
    assert len(list(root.iter(f"{HTML}h1"))) == 1
    levels = [int(e.tag[-1]) for e in root.iter() if re.fullmatch(rf"{HTML}h[1-6]", e.tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for plot in root.iter(f"{SVG}svg"):
        assert plot.get("role") == "img"
        assert len(plot.get("aria-label")) > 20
    for figure in root.iter(f"{HTML}figure"):
        assert visible(figure.find(f"{HTML}figcaption")).endswith(".")
    for grid in root.iter(f"{HTML}table"):
        assert visible(grid.find(f"{HTML}caption"))
        assert all(cell.get("scope") in ("row", "col") for cell in grid.iter(f"{HTML}th"))
        assert all(row.find(f"{HTML}th") is not None for row in grid.iter(f"{HTML}tr"))


def assert_is_a_good_page(page: Path) -> None:
    """Hold a page against all that every report must be."""
    assert_page_stands_alone(page)
    assert_page_can_be_read_without_seeing_it(page)
    assert_figures_are_those_of_the_facts(page)
