"""Date-times as many programs write them, by one form a column."""

import email.utils
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.training.cells.columns import assert_same, reading_of, values_of
from training.cells import CellError, Dates, Refused, Texts
from training.cells.dates import strptime_of

NAN = float("nan")
MOMENT = datetime(2024, 1, 31, 13, 45, tzinfo=UTC)

# What programs write, and what is lost of a moment by it.
FORMATS = {
    "ISO": "%Y-%m-%dT%H:%M:%S.%fZ",
    "BigQuery": "%Y-%m-%d %H:%M:%S.%f UTC",
    "PostgreSQL": "%Y-%m-%d %H:%M:%S.%f+00",
    "pandas": "%Y-%m-%d %H:%M:%S.%f+00:00",
    "Java's ZonedDateTime": "%Y-%m-%dT%H:%M:%S.%fZ[UTC]",
    "logs with a decimal comma": "%Y-%m-%d %H:%M:%S,%f",
    "slashes": "%Y/%m/%d %H:%M:%S",
    "compact": "%Y%m%dT%H%M%SZ",
    "RFC 2822": "%a, %d %b %Y %H:%M:%S +0000",
    "RFC 1123": "%a, %d %b %Y %H:%M:%S GMT",
    "Java's Date": "%a %b %d %H:%M:%S UTC %Y",
    "C's ctime": "%a %b %d %H:%M:%S %Y",
    "browsers": "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)",
    "web servers": "%d/%b/%Y:%H:%M:%S +0000",
    "SAS": "%d%b%Y:%H:%M:%S",
    "name of the month": "%d-%b-%Y %H:%M:%S",
    "full name of the month": "%B %d, %Y %H:%M:%S",
    "full names": "%A, %d %B %Y %H:%M:%S",
    "German": "%d.%m.%Y %H:%M:%S",
    "Excel, day first": "%d/%m/%Y %H:%M:%S",
    "Excel, month first": "%m/%d/%Y %I:%M:%S %p",
    "browsers, month first": "%m/%d/%Y, %I:%M:%S\u202f%p",
    "SQL Server": "%b %d %Y  %I:%M%p",
    "minutes": "%Y-%m-%d %H:%M",
    "days": "%Y-%m-%d",
    "months": "%Y-%m",
    "points in the clock": "%d.%m.%Y %H.%M",
}


def moments():
    """Return moments of which all microseconds are different floats."""
    return st.datetimes(datetime(1700, 1, 2), datetime(2099, 1, 1))


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=15)
@given(found=st.lists(moments(), min_size=1, max_size=4))
@example(found=[datetime(2024, 2, 29, 23, 59, 59, 999999), datetime(1969, 12, 31, 0, 0, 0, 1)])
@example(found=[datetime(2023, 12, 31, 12), datetime(2024, 1, 31, 0, 30)])
def test_dates_come_back_from_each_form(name, found):
    form = FORMATS[name]
    found = [*found, datetime(2024, 1, 31, 13, 45)]  # settles which is the day
    cells = [moment.strftime(form) for moment in found]

    values = values_of(cells)

    expected = [datetime.strptime(cell, form).replace(tzinfo=UTC).timestamp() for cell in cells]
    assert_same(values, expected)


@given(
    st.lists(
        st.datetimes(
            datetime(1700, 1, 1),
            datetime(2098, 1, 1),
            timezones=st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m))),
        ),
        min_size=1,
    )
)
def test_iso_dates_are_those_of_pandas_and_of_the_standard_library(found):
    cells = [moment.isoformat() for moment in found]

    values = values_of(cells)

    assert_same(values, [moment.timestamp() for moment in found])
    of_pandas = pd.to_datetime(pd.Series(cells), utc=True, format="ISO8601")
    seconds = (of_pandas - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    np.testing.assert_allclose(values, seconds, rtol=1e-15)


@given(found=st.lists(moments(), min_size=1, max_size=5), region=st.sampled_from(["Europe/Berlin",
       "America/New_York", "Asia/Kolkata", "America/Argentina/Buenos_Aires"]))  # fmt: skip
def test_zones_are_those_of_the_standard_library(found, region):
    zone = ZoneInfo(region)
    found = [m.replace(microsecond=0, tzinfo=zone) for m in found if 1950 < m.year < 2037]
    # an hour that clocks leave out is no time: it is not written
    found = [m for m in found if m.astimezone(UTC).astimezone(zone).hour == m.hour]
    assume(found)

    values = values_of([m.strftime(f"%Y-%m-%d %H:%M:%S {region}") for m in found])

    assert_same(values, [m.timestamp() for m in found])


@given(st.datetimes(datetime(1970, 1, 1), datetime(2098, 1, 1), timezones=st.just(UTC)))
def test_mails_date(moment):
    cell = email.utils.format_datetime(moment)

    assert_same(values_of([cell]), [email.utils.parsedate_to_datetime(cell).timestamp()])


@pytest.mark.parametrize(
    "cell",
    [
        "2024-01-31T13:45:00Z",
        "2024-01-31 13:45:00 UTC",
        "2024-01-31 13:45:00.000000 UTC",
        "2024-01-31 15:45:00 UTC+2",
        "2024-01-31 15:45:00+02",
        "2024-01-31T14:45:00+01:00[Europe/Berlin]",
        "2024-01-31 19:15:00.0000000 +05:30",
        "2024-1-31 13:45",
        "31/01/2024 13:45",
        "1/31/2024 1:45:00 PM",
        "1/31/2024, 1:45:00 p.m.",
        "Wed Jan 31 14:45:00 CET 2024",
        "Wed Jan 31 8:45:00 EST 2024",
        "Wed Jan 31 2024 14:45:00 GMT+0100 (Central European Standard Time)",
        "Wed, 31 Jan 2024 05:45:00 -0800",
        "31 Jan 2024 13:45:00",
        "January 31st, 2024 at 1:45 PM",
        "31. January 2024 13:45",
        "31-JAN-2024 13:45:00",
        "20240131T134500Z",
        "20240131 1345",
        "31/Jan/2024:13:45:00 +0000",
        "Jan 31 2024  1:45PM",
        "2024-01-31 14:45:00 +0100 CET",
        "2024-01-31 14:45:00 Europe/Berlin",
        "2024-01-31 05:45:00\u221208:00",
    ],
)
def test_one_moment_in_many_writings(cell):
    assert_same(values_of([cell]), [MOMENT.timestamp()])


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["31/01/2024 13:45", "01/02/2024"], "day/month/year with a clock of 24 hours"),
        (["1/31/2024 1:45 PM"], "month/day/year with a clock of AM and PM"),
        (["31.01.2024"], "day.month.year"),
        (["31-Jan-2024"], "day-month by name-year"),
        (["Wed Jan 31 13:45:00 2024"], "month by name, day, year with a clock of 24 hours"),
        (["20240131T134500Z"], "yearmonthday with a clock of 24 hours"),
    ],
)
def test_form_is_named(cells, words):
    assert reading_of(cells).note == f"dates are read as {words}; without a zone they are UTC"


def test_iso_needs_no_note():
    assert reading_of(["2024-01-31", "2024-01-31T13:45:00+01:00", None]).note is None


@pytest.mark.parametrize("place", [0, 500, 999])
def test_one_cell_settles_which_is_the_day(place):
    cells = [f"{1 + number % 12:02d}/0{1 + number % 7}/2024" for number in range(999)]

    day_first = values_of([*cells[:place], "13/02/2024", *cells[place:]])
    month_first = values_of([*cells[:place], "02/13/2024", *cells[place:]])

    assert day_first[place] == month_first[place] == datetime(2024, 2, 13, tzinfo=UTC).timestamp()
    assert not np.array_equal(day_first, month_first)


def test_days_and_months_that_cannot_be_told_apart_are_asked_for():
    refused = reading_of(["01/02/2024 10:00", "03/04/2024 11:00"])

    assert str(refused) == (
        "no cell says which number is the day and which the month (row 0: '01/02/2024 10:00', "
        "row 1: '03/04/2024 11:00'): say which with --time-format \"%d/%m/%Y %H:%M\" or "
        '--time-format "%m/%d/%Y %H:%M"'
    )


def test_days_and_months_that_contradict_each_other_are_refused():
    refused = reading_of(["01/02/2024", "31/01/2024", "02/28/2024", "30/01/2024"])

    assert "in some cells the day comes first" in refused.reason
    assert [example.row for example in refused.examples] == [1, 2]


def test_years_of_two_digits_are_asked_for():
    refused = reading_of(["31/01/24", "01/02/24"])

    assert "two digits" in refused.reason
    assert refused.cure == 'say which with --time-format "%d/%m/%y"'
    both = reading_of(["24-01-31 10:00", "24-02-01 11:00"]).cure
    assert both == 'say which with --time-format "%d-%m-%y %H:%M" or --time-format "%y-%m-%d %H:%M"'
    assert "%y-%m-%d" not in reading_of(["24-01-31", "24-01-32"]).cure
    assert '--time-format "%d-%b-%y %I:%M %p"' in reading_of(["31-JAN-24 01:45 PM"]).cure


@pytest.mark.parametrize("name", ["CST", "IST", "BST", "XYZ", "Mars/Olympus", "CET+1"])
def test_zones_that_mean_several_or_nothing_are_refused(name):
    refused = reading_of(["2024-01-31 13:45:00 UTC", f"2024-01-31 13:45:00 {name}"])

    assert isinstance(refused, Refused)
    assert f"time zone '{name.partition('+')[0]}'" in refused.reason
    assert refused.examples[0].row == 1
    assert "write the offset" in refused.cure


@pytest.mark.parametrize(
    "cells",
    [
        ["0000-00-00", "0000-00-00 00:00:00", "1900-01-00", "0001-01-01T00:00:00Z"],
        ["9999-12-31", "2999-12-31 23:59:59", "2099-12-31", "2200-01-01"],
        ["31/12/9999", "12/31/2999", "00/00/0000", "13/01/2024"],
    ],
)
def test_dates_that_stand_for_none_are_missing_and_counted(cells):
    good = "14/01/2024" if "/" in cells[0] else "2024-01-14"
    cells = [good, *cells]

    reading = reading_of(cells)

    n_none = 3 if "/" in good else 4
    assert reading.n_missing == n_none
    assert f"{n_none} such as '{cells[1]}' stand for no date" in reading.note
    values = reading.apply(pyarrow.array(cells), 0)
    assert np.isnan(values).tolist() == [False] + [True] * n_none + [False] * (4 - n_none)


@pytest.mark.parametrize(
    "bad", ["2024-02-30", "2023-02-29", "2024-13-01", "2024-01-31T24:00", "2024-01-31T10:60"]
)
def test_moments_that_there_are_not_are_refused(bad):
    refused = reading_of(["2024-01-31"] * 20 + [bad])

    assert isinstance(refused, Refused)
    assert refused.examples[0].value == bad


@pytest.mark.parametrize(
    "cells",
    [
        ["31/01/2024"] * 6 + ["2024-01-31"] * 4,
        ["2024-01-31 13:45"] * 6 + ["2024-01-31 1:45 PM"] * 4,
        ["31/01/2024"] * 6 + ["31.01.2024"] * 4,
    ],
)
def test_two_forms_in_one_column_are_refused(cells):
    refused = reading_of(cells)

    assert "but 4 cells are not" in refused.reason
    assert refused.examples[0].row == 6


@pytest.mark.parametrize(
    "cells",
    [
        ["31 Foo 2024", "12 Bar 2023"],
        ["2024-W05-3", "2024-W06-1"],
        ["13:45", "14:50"],
        ["Jan", "Feb"],
        ["12-ABC-2024"],
        ["2024-01-31 or so", "about 2024-01-31"],
        ["Monday", "Tue"],
        ["31/01/2024/5"],
        ["99/99/9999x"],
        ["44/55/2024"],
    ],
)
def test_what_is_no_date_stays_text(cells):
    assert isinstance(reading_of(cells), Texts)


def test_cell_of_another_table_that_does_not_fit_is_refused():
    reading = reading_of(["31/01/2024"])

    with pytest.raises(CellError) as caught:
        reading.apply(pyarrow.array(["01/02/2024", None, "02/13/2024"]), 10)

    assert (caught.value.row, caught.value.value) == (12, "02/13/2024")
    assert caught.value.expected == "a date as day/month/year"


@pytest.mark.parametrize("cell", ["31/01/2024 13:45:10", "31-Jan-2024 1:45 PM", "31/01/24",
                                  "2024-01-31 13:45:00.5", "Jan 31, 2024"])  # fmt: skip
def test_format_that_is_advised_reads_the_cell(cell):
    mask = "".join("0" if c.isdigit() else c for c in cell)

    form = strptime_of(mask, is_day_first=True)

    assert datetime.strptime(cell, form).date().isoformat() == "2024-01-31"
    assert isinstance(reading_of([cell], time_format=form), Dates)


@pytest.mark.parametrize("cell", ["31 MAY 2024", "31 may 2024", "31 May 2024"])
def test_names_of_months_in_any_case(cell):
    assert_same(values_of([cell]), [datetime(2024, 5, 31, tzinfo=UTC).timestamp()])
