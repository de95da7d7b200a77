"""The fast way from rows to a matrix and the thorough one agree on random rows of every kind."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import FeatureError
from model.features import Feature, FeatureSpec
from model.rows import RowReader

NAMES = ["a", "b", "c", "d"]
KINDS = ["numeric", "boolean", "categorical", "datetime"]
BOUNDS = st.none() | st.integers(-3, 3).map(float)
# Per kind mostly what fits, now and then what does not.
GOOD = {
    "numeric": st.integers(-5, 5) | st.floats(-5, 5),
    "boolean": st.booleans(),
    "categorical": st.sampled_from(["red", "green", "mauve", ""]),
    "datetime": st.sampled_from(["2026-03-01T12:30:00", "1970-01-01", "2026-03-01T12:30:00+05:00"]),
}
BAD = st.sampled_from(
    [None, math.nan, math.inf, 10**400, 2**70, "1.5", "x", True, 0, 1.0, [], {}, "2026-99-01", ...]
)


@st.composite
def specs_and_rows(draw):
    """Draw a specification of any kinds, and rows of which most are in order."""
    features = []
    for name in NAMES[: draw(st.integers(1, 4))]:
        kind = draw(st.sampled_from(KINDS))
        minimum, maximum = sorted([draw(BOUNDS), draw(BOUNDS)], key=lambda bound: bound or 0)
        bounds = {"minimum": minimum, "maximum": maximum} if kind == "numeric" else {}
        features.append(
            Feature(name, kind, nullable=draw(st.booleans()), categories=("red", "green"), **bounds)
        )
    spec = FeatureSpec(tuple(features), id_column=draw(st.sampled_from([None, "id"])))
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        is_broken = draw(st.integers(0, 3)) == 0
        row = {f.name: draw(BAD if is_broken else GOOD[f.kind]) for f in features}
        if draw(st.booleans()):
            row[draw(st.sampled_from(["transaction_id", "id", *["zzz"] * is_broken]))] = "t-1"
        rows.append({name: value for name, value in row.items() if value is not ...})
    return spec, rows


def outcome(read, rows):
    """Return the matrix that a method reads from rows, or the problems it finds."""
    try:
        return read(rows)
    except FeatureError as error:
        return error.problems


@given(specs_and_rows())
@settings(max_examples=600, derandomize=True, database=None)
def test_fast_way_gives_what_the_thorough_way_gives_or_nothing(spec_and_rows):
    spec, rows = spec_and_rows

    reader = RowReader(spec.features, spec.id_keys)
    fast, thorough = reader.matrix_if_plain(rows), outcome(reader.matrix_cell_by_cell, rows)

    if isinstance(thorough, dict):
        assert fast is None
        assert outcome(spec.matrix_from_rows, rows) == thorough
    else:
        np.testing.assert_array_equal(outcome(spec.matrix_from_rows, rows), thorough)


@given(specs_and_rows())
@settings(max_examples=300, derandomize=True, database=None)
def test_rows_are_judged_alone_as_they_are_together(spec_and_rows):
    spec, rows = spec_and_rows
    alone = [outcome(spec.matrix_from_rows, [row]) for row in rows]
    bad = {number: found[0] for number, found in enumerate(alone) if isinstance(found, dict)}

    together = outcome(spec.matrix_from_rows, rows)

    if bad:
        assert together == bad
    else:
        np.testing.assert_array_equal(
            together, np.concatenate([*alone, np.empty_like(together[:0])])
        )
