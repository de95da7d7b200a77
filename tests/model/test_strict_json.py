"""JSON that means one thing, or fails."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.strict_json import LARGEST_INTEGER, MOST_DEPTH, loads

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
NUMBERS = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER - 1) | st.floats(
    allow_nan=False, allow_infinity=False
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


@given(DOCUMENTS, st.booleans())
def test_what_json_can_hold_is_read_as_it_was_written(document, is_ascii):
    assert loads(json.dumps(document, ensure_ascii=is_ascii).encode()) == document


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("place", ["{}", "[{}]", '{{"a": [1, {}]}}'])
def test_numbers_that_are_not_finite(text, place):
    with pytest.raises(ValueError, match=f"{text} is no finite number"):
        loads(place.format(text).encode())


@pytest.mark.parametrize("text", [str(2**63), str(-(2**63) - 1), "1" + "0" * 5000])
def test_integers_that_other_readers_would_not_take(text):
    with pytest.raises(ValueError, match="more than 64 bits"):
        loads(text.encode())


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"b": {"a": 1, "\\u0061": 2}}]'])
def test_key_that_stands_twice(text):
    with pytest.raises(ValueError, match="the key 'a' appears twice in one object"):
        loads(text.encode())


@pytest.mark.parametrize("text", [b'"\\ud800"', b'{"\\udfff": 1}', b'"\xff"', b'"\xed\xa0\x80"'])
def test_text_that_is_no_unicode(text):
    with pytest.raises(UnicodeError):
        loads(text)


@pytest.mark.parametrize("brackets", ["[]", ('{"a":', "}")])
def test_depth_is_bounded(brackets):
    opening, closing = brackets

    def nested(depth):
        return f"{opening * depth}{'1'}{closing * depth}".encode()

    loads(nested(MOST_DEPTH))
    for depth in (MOST_DEPTH + 1, 1000, 200_000):
        with pytest.raises(ValueError, match="nested"):
            loads(nested(depth))
