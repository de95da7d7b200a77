"""Columns of numbers that are times."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cells.columns import assert_same
from training.cells.refusal import Refused
from training.cells.time_units import (
    SINCE_1970,
    TIME_UNITS,
    NumberScan,
    calendar_days,
    calendar_moments,
    time_unit_of,
)

NAN = float("nan")
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))


def scan_of(numbers, size=None):
    """Look at numbers in chunks of a size."""
    numbers, scan = np.array(numbers, float), NumberScan()
    for start in range(0, len(numbers), size or len(numbers)):
        scan.add(numbers[start : start + (size or len(numbers))], start)
    return scan


def unit_of(numbers, name="when", unit=None):
    return time_unit_of(scan_of(numbers), name, unit)


@given(st.lists(MOMENTS, min_size=1))
def test_moments_come_back_from_every_unit(moments):
    expected = [moment.replace(microsecond=0).timestamp() for moment in moments]
    for factor, name in ((1, "s"), (10**3, "ms"), (10**6, "us"), (10**9, "ns")):
        numbers = [seconds * factor for seconds in expected]

        unit = unit_of(numbers)

        assert unit is SINCE_1970[name]
        np.testing.assert_allclose(unit.to_seconds(np.array(numbers)), expected, rtol=1e-15)


@given(st.lists(MOMENTS, min_size=1), st.integers(1, 3))
def test_calendar_numbers_come_back(moments, size):
    for form, name in (("%Y%m%d", "yyyymmdd"), ("%Y%m%d%H%M%S", "yyyymmddhhmmss")):
        texts = [moment.strftime(form) for moment in moments]
        numbers = [float(text) for text in texts]

        unit = time_unit_of(scan_of(numbers, size), "when")

        assert unit is SINCE_1970[name]
        expected = [datetime.strptime(t, form).replace(tzinfo=UTC).timestamp() for t in texts]
        assert_same(unit.to_seconds(np.array(numbers)), expected)


def test_numbers_that_are_no_days_of_the_calendar():
    assert_same(calendar_days(np.array([20240230, 20241301, 20240100, 20240131.5, NAN])), [NAN] * 5)
    assert_same(calendar_days(np.array([20240229, -1, np.inf])), [1709164800, NAN, NAN])
    wrong = [20240131240000, 20240131006000, 20240131000060, 20240230000000, NAN, np.inf]
    assert_same(calendar_moments(np.array(wrong)), [NAN] * 6)


@pytest.mark.parametrize(
    ("name", "numbers", "unit", "factor"),
    [
        ("Time", [0, 172792], "s", 1),
        ("step", [1, 744], "hour", 3600),
        ("TransactionDT", [86400, 15811131], "s", 1),
        ("hour", [0, 500], "hour", 3600),
        ("elapsed_ms", [5, 10_000], "ms", 1e-3),
        ("secondsSinceStart", [5, 10], None, None),
        ("sinceStartSeconds", [5, 10], "s", 1),
        ("n_days", [0, 30], "day", 86400),
        ("minutes", [0, 30], "minute", 60),
        ("when", [0, 172792], None, None),
        ("timestamp", [1, 2, 3], None, None),
        ("month", [0, 7], "month", 2_629_746),
        ("when", [1e9, 1e12], None, None),
    ],
)
def test_names_that_say_the_unit(name, numbers, unit, factor):
    found = unit_of(numbers, name)

    if unit is None:
        assert isinstance(found, Refused)
    else:
        assert (found.name, found.is_since_1970) == (unit, False)
        np.testing.assert_allclose(
            found.to_seconds(np.array(numbers, float)), np.array(numbers) * factor
        )


def test_days_of_excel_are_told_by_the_name():
    unit = unit_of([45322.573, NAN], "Buchungsdatum Datum")

    assert unit is SINCE_1970["excel"]
    moment = datetime(2024, 1, 31, 13, 45, 7, tzinfo=UTC).timestamp()
    assert abs(unit.to_seconds(np.array([45322.573]))[0] - moment) < 1
    assert isinstance(unit_of([45322, 45323], "amount"), Refused)


def test_what_has_to_be_asked_names_the_numbers_and_the_option():
    refused = unit_of([NAN, 3, 7.5])

    assert str(refused) == (
        "numbers from 3 to 7.5 do not say which times they are (row 1: '3', row 2: '7.5'): say it "
        "with --time-unit s|ms|us|ns|minute|hour|day|month|yyyymmdd|"
        "yyyymmddhhmmss|excel"
    )


@pytest.mark.parametrize("name", TIME_UNITS)
def test_unit_that_is_said_is_taken_unless_the_numbers_contradict_it(name):
    found = unit_of([3, 7.5], unit=name)

    if name.startswith("yyyy"):
        assert "are not all" in found.reason
    else:
        assert found.name == name
        assert found.note.startswith("its numbers are read as ")


def test_seconds_that_are_said_are_since_1970_where_they_can_be():
    assert unit_of([1.7e9], unit="s").is_since_1970
    assert not unit_of([17.0], unit="s").is_since_1970
    assert unit_of([20240131], unit="yyyymmdd").is_since_1970
    refused = unit_of([1.7e12], unit="s")
    assert "milliseconds since 1970" in refused.reason
    assert refused.cure == "say --time-unit ms, or nothing"


def test_a_day_that_is_none_among_days_has_to_be_asked():
    assert isinstance(unit_of([20240131, 20240230]), Refused)
