"""The likely name behind an unknown one, found in bounded time."""

from difflib import get_close_matches

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from model import suggestions
from model.suggestions import LONGEST, MOST_KEPT, MOST_NEW, Suggestions

NAMES = ("Amount", "Time", "merchant_category", "V1", "V14", "is_new_device")
words = st.text("abcdeé_", max_size=12)


def comparisons(monkeypatch):
    """Return a list that grows by the number of names in each comparison letter by letter."""
    made = []

    def counted(name, candidates, **options):
        made.append(len(candidates))
        return get_close_matches(name, candidates, **options)

    monkeypatch.setattr(suggestions, "get_close_matches", counted)
    return made


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        ("Amuont", "Amount"),
        ("amount", "Amount"),
        ("merchantCategory", "merchant_category"),
        ("V_14", "V14"),
        ("colour", None),
        ("", None),
        ("🎈", None),
    ],
)
def test_likely_name_is_found(name, likely):
    assert Suggestions(NAMES).of_request()(name) == likely


@given(name=words, known=st.lists(words, min_size=1, max_size=5, unique=True))
def test_of_few_names_the_likely_one_is_that_of_difflib(name, known):
    assume(name not in known)
    expected = get_close_matches(name, known, n=1)

    found = Suggestions(known).of_request()(name)

    # of equally alike ones either will do
    assert (found is None) == (not expected)
    assert found is None or found in get_close_matches(name, known, n=5)


def test_request_has_only_its_first_names_compared(monkeypatch):
    made = comparisons(monkeypatch)
    suggest = Suggestions(NAMES).of_request()

    found = [suggest(f"Amount{number}") for number in range(1000)]

    assert found == ["Amount"] * MOST_NEW + [None] * (1000 - MOST_NEW)
    assert len(made) == MOST_NEW


def test_name_is_compared_once_however_many_requests_hold_it(monkeypatch):
    made = comparisons(monkeypatch)
    known = Suggestions(NAMES)

    found = {known.of_request()("Amuont") for _ in range(100)}

    assert found == {"Amount"}
    assert len(made) == 1


def test_repeated_request_is_told_more():
    names = [f"Amount{number}" for number in range(10)]
    known = Suggestions(NAMES)

    for _ in range(4):
        suggest = known.of_request()
        found = [suggest(name) for name in names]

    assert found == ["Amount"] * 10


def test_only_the_few_most_alike_of_many_names_are_compared(monkeypatch):
    made = comparisons(monkeypatch)
    known = Suggestions([f"{'abc' * 20}{number}" for number in range(1000)])

    known.of_request()("cba" * 20)

    assert made[0] < 10


def test_long_name_is_not_compared(monkeypatch):
    made = comparisons(monkeypatch)

    assert Suggestions(["a" * LONGEST]).of_request()("a" * (LONGEST + 1)) is None
    assert not made


def test_memory_of_names_is_bounded():
    known = Suggestions(NAMES)

    for number in range(3 * MOST_KEPT):
        known.of_request()(f"x{number}")

    assert len(known._kept) <= MOST_KEPT
