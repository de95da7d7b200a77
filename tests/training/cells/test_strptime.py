"""Date-times by a format that is given."""

from datetime import UTC, datetime

import numpy as np
import pyarrow
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.training.cells.columns import assert_same, reading_of, values_of
from training.cells import CellError, Dates, Refused


@settings(max_examples=20)
@example(found=[datetime(1999, 12, 31), datetime(2000, 1, 1)], form="%d-%m-%y")
@given(
    found=st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)), min_size=1),
    form=st.sampled_from(["%d/%m/%Y %H:%M", "%m/%d/%y %I:%M:%S %p", "%d-%b-%y", "%Y%j", "%Y%m%d"]),
)
def test_cells_are_what_the_standard_library_reads(found, form):
    cells = [moment.strftime(form) for moment in found]

    values = values_of(cells, time_format=form)

    expected = [datetime.strptime(cell, form).replace(tzinfo=UTC).timestamp() for cell in cells]
    np.testing.assert_allclose(values, expected, rtol=1e-15)


def test_offsets_are_honoured():
    cells = ["31/01/2024 13:45 +0100", None, "31/01/2024 13:45 -0530"]

    values = values_of(cells, time_format="%d/%m/%Y %H:%M %z")

    first, last = (
        datetime.strptime(cell, "%d/%m/%Y %H:%M %z").timestamp() for cell in cells if cell
    )
    assert_same(values, [first, np.nan, last])


def test_format_settles_what_the_cells_do_not():
    cells = ["01/02/2024", "03/04/2024"]

    reading = reading_of(cells, time_format="%m/%d/%Y")

    assert isinstance(reading, Dates)
    assert reading.note == "dates are read as '%m/%d/%Y', as given; without a zone they are UTC"
    expected = [datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 3, 4, tzinfo=UTC)]
    assert_same(reading.apply(pyarrow.array(cells), 0), [day.timestamp() for day in expected])


def test_dates_that_stand_for_none_and_words_are_missing_and_others_refused():
    cells = ["31/01/2024", "00/00/0000", "31/12/9999", "31/12/2099", "NA", "0000-00-00"]

    reading = reading_of(cells, time_format="%d/%m/%Y")

    values = reading.apply(pyarrow.array(cells), 0)
    assert np.isnan(values).tolist() == [False] + [True] * 5
    assert reading.n_missing == 5
    with pytest.raises(CellError, match="row 3 holds '01/31/2024', expected a date as '%d/%m/%Y'"):
        reading.apply(pyarrow.array(["31/01/2024", "01/31/2024"]), 2)


@pytest.mark.parametrize("form", ["", "day first", "%Q", "%d/%m/%Y %"])
def test_what_is_no_format_is_refused(form):
    refused = reading_of(["31/01/2024"], time_format=form)

    assert isinstance(refused, Refused)
    assert str(refused).startswith((f"{form!r} has no directives", f"{form!r} is no format"))
    assert str(refused).endswith(": write --time-format as in %d/%m/%Y %H:%M")
