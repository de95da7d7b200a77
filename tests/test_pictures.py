"""The pictures in the documents: there, small, said in words, and of the shipped model."""

import json
import re
from pathlib import Path

import pytest

from training.report.formats import percent

ROOT = Path(__file__).resolve().parent.parent
PICTURES = sorted((ROOT / "docs/pictures").glob("*.png"))
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LARGEST = 150 * 1024
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")


def images(path):
    """Return the pictures that a document shows: what is said of each, and its file."""
    found = IMAGE.findall(path.read_text(encoding="utf-8"))
    return [(words, (path.parent / link).resolve()) for words, link in found]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_shown_pictures_exist_and_are_said_in_words(path):
    for words, picture in images(path):
        assert picture in PICTURES
        assert len(words.split()) > 5


def test_pictures_are_small_and_every_one_is_shown():
    shown = {picture for path in DOCUMENTS for _, picture in images(path)}

    assert len(PICTURES) == 3
    assert set(PICTURES) == shown
    assert images(ROOT / "README.md")
    for picture in PICTURES:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size <= LARGEST


def test_picture_in_the_readme_says_what_the_shipped_model_finds():
    pointer = json.loads((ROOT / "artifacts/creditcard/champion.json").read_text())
    card = json.loads((ROOT / f"artifacts/creditcard/{pointer['version']}.json").read_text())

    recall = card["metrics"]["as_table"]["figures"]["recall_at_0.1%_false_positives"]["value"]

    ((words, _),) = images(ROOT / "README.md")
    assert f"finds {percent(recall)} of fraud" in words
