"""Whatever a table holds gives numbers, a note, or an error that names it: never a traceback."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.features import Feature, FeatureSpec
from training.config import DataConfig
from training.data import from_frame, load
from training.errors import DataError
from training.explore.survey import survey
from training.table_reader import TableReader
from training.tables.source import FileSource

INT64 = st.integers(-(2**63), 2**63 - 1)
ARROW_TYPES = {
    "null": (pa.null(), st.none()),
    "bool": (pa.bool_(), st.booleans()),
    "uint8": (pa.uint8(), st.integers(0, 255)),
    "int64": (pa.int64(), INT64),
    "uint64": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "half": (pa.float16(), st.floats(width=16).map(np.float16)),
    "float32": (pa.float32(), st.floats(width=32)),
    "float64": (pa.float64(), st.floats()),
    "decimal": (pa.decimal128(38, 4), st.decimals(-(10**20), 10**20, places=4, allow_nan=False)),
    "decimal256": (pa.decimal256(60, 2), st.decimals(-(10**30), 10**30, places=2, allow_nan=False)),
    "string": (pa.string(), st.text(max_size=8)),
    "large_string": (pa.large_string(), st.text(max_size=8)),
    "string_view": (pa.string_view(), st.text(max_size=8)),
    "binary": (pa.binary(), st.binary(max_size=8)),
    "binary_view": (pa.binary_view(), st.sampled_from([b"web", b"app"])),
    "fixed": (pa.binary(3), st.binary(min_size=3, max_size=3)),
    "uuid": (pa.binary(16), st.uuids().map(lambda u: u.bytes)),
    "date32": (pa.date32(), st.dates()),
    "date64": (pa.date64(), st.dates()),
    "timestamp_s": (pa.timestamp("s"), st.integers(-(2**52), 2**52)),
    "timestamp_us": (pa.timestamp("us", "Europe/Berlin"), INT64),
    "timestamp_ns": (pa.timestamp("ns"), INT64),
    "time32": (pa.time32("s"), st.integers(0, 86_399)),
    "time64": (pa.time64("ns"), st.integers(0, 86_399 * 10**9)),
    "duration": (pa.duration("ms"), st.integers(-(2**40), 2**40)),
    "list": (pa.list_(pa.int64()), st.lists(st.integers(0, 9), max_size=3)),
    "struct": (pa.struct([("a", pa.int64())]), st.fixed_dictionaries({"a": st.integers(0, 9)})),
    "map": (pa.map_(pa.string(), pa.int64()), st.just([("a", 1)])),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "b", ""])),
    "dictionary_of_ints": (pa.dictionary(pa.int8(), pa.int64()), st.sampled_from([1, 2])),
}
QUIET = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FEW, MANY = settings(QUIET, max_examples=4), settings(QUIET, max_examples=60)


def outcomes(path, name, **config):
    """Return whether a file can be trained on, by a model of every kind, and explored."""
    told = []
    kinds = ("numeric", "boolean", "categorical", "datetime")
    for kind in kinds:
        spec = FeatureSpec((Feature(name, kind, nullable=True, categories=("a", "web")[:1]),))
        try:
            matrix = TableReader(FileSource(path), spec, DataConfig(**config)).matrix()
            assert not np.isinf(matrix).any()
        except DataError as error:
            told.append(error)
    try:
        table = load(DataConfig(path=str(path), **config))
        assert not np.isinf(table.matrix).any()
        assert len(table.notes) == len(set(table.notes))
        is_there = name in table.spec.names
        assert is_there or any(repr(name) in note for note in table.notes)
        survey(DataConfig(path=str(path), **config), 0)
    except DataError as error:
        told.append(error)
    assert all(error.column == name and "\n" not in str(error) for error in told)


@pytest.mark.parametrize("kind", ARROW_TYPES)
@FEW
@given(data=st.data())
def test_any_arrow_type(tmp_path, kind, data):
    assert_any_arrow_type(tmp_path, kind, data)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ARROW_TYPES)
@MANY
@given(data=st.data())
def test_any_arrow_type_often(tmp_path, kind, data):
    assert_any_arrow_type(tmp_path, kind, data)


def assert_any_arrow_type(tmp_path, kind, data):
    """Draw a column of a type; read it in every way."""
    arrow_type, values = ARROW_TYPES[kind]
    cells = data.draw(st.lists(st.none() | values, min_size=4, max_size=12))
    column = pa.array(cells, pa.int64()).cast(arrow_type) if _is_raw(arrow_type) else None
    if column is None:
        column = pa.array(cells, arrow_type)
    n = len(cells)
    table = pa.table(
        {"c": column, "v": pa.array(range(n)), "Class": [0, 1] * (n // 2) + [0] * (n % 2)}
    )
    pq.write_table(table, tmp_path / "t.parquet")

    outcomes(tmp_path / "t.parquet", "c")


def _is_raw(arrow_type):
    return pa.types.is_timestamp(arrow_type)


CELLS = st.one_of(
    st.sampled_from(
        ["", "NA", "-", "nan", "inf", "1e999", "0x1f", "007", "1,234", "1.234,5", "€ 5"]
    ),
    st.sampled_from(["2026-01-31", "31/01/2026", "0000-00-00", "9999-12-31", "12:30", "20260131"]),
    st.sampled_from(["true", "False", "(12)", "12-", "5 %", "1 kg", "'a", "+49123456789", "−1"]),
    st.floats().map(str),
    st.integers().map(str),
    st.text(max_size=6).map(lambda t: t.replace("\0", "").replace('"', "")),
)


@settings(QUIET, max_examples=15)
@given(cells=st.lists(CELLS, min_size=4, max_size=12), data=st.data())
def test_any_cells(tmp_path, cells, data):
    same = data.draw(st.booleans())
    cells = cells[:1] * len(cells) if same else cells
    cells = [cell.encode("utf-8", "replace").decode() for cell in cells]
    lines = [f'"{cell}",{n},{n % 2}' for n, cell in enumerate(cells)]
    (tmp_path / "t.csv").write_text("\n".join(["c,v,Class", *lines, ""]), "utf-8", newline="")

    outcomes(tmp_path / "t.csv", "c")


OBJECTS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.binary(max_size=4),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    st.complex_numbers(),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(
        [
            *(np.int8(3), np.float32(0.5), np.bool_(True), np.str_("x"), np.array([1])),
            *(pd.NA, pd.NaT, pd.Timestamp("2026-01-01", tz="UTC"), pd.Timedelta(1)),
            *(pd.Period("2026"), np.datetime64("2026-01-01"), dt.date(1, 1, 1)),
            *(decimal.Decimal("NaN"), "\ud800", object),
        ]
    ),
)


@settings(QUIET, max_examples=15)
@given(data=st.data())
def test_any_objects_of_a_frame(data):
    kinds = data.draw(st.sampled_from([OBJECTS, *OBJECTS.original_strategies]))
    cells = data.draw(st.lists(kinds, min_size=4, max_size=8))
    frame = pd.DataFrame({"v": np.arange(len(cells)), "Class": np.arange(len(cells)) % 2})
    frame["c"] = pd.Series([*cells, None], dtype=object)[: len(cells)]

    try:
        told, matrix = None, from_frame(frame, DataConfig(), "frame").matrix
    except DataError as error:
        told, matrix = error, np.empty((0, 1))
    assert told is None or told.column == "c"
    assert not np.isinf(matrix).any()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, np.float32(2), decimal.Decimal("3.5")], [1, 2, 3.5]),
        ([2**53 + 1, None, 5], [2**53, np.nan, 5]),
        ([dt.date(1970, 1, 2), dt.datetime(1970, 1, 3), None], [86_400, 172_800, np.nan]),
        ([True, None, np.bool_(False)], [1, np.nan, 0]),
    ],
)
def test_objects_of_one_kind_are_what_they_are(values, expected):
    frame = pd.DataFrame({"c": pd.Series(values, dtype=object), "Class": [0, 1, 0]})

    np.testing.assert_array_equal(from_frame(frame, DataConfig(), "x").matrix[:, 0], expected)
