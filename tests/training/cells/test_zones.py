"""Names of time zones."""

import zoneinfo
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from training.cells.zones import AMBIGUOUS, OFFSETS, fixed_offset, is_region, local_to_utc


def offsets_of_all_zones():
    """Return the offsets in hours that each abbreviation had in any zone since 1990."""
    found = {}
    for key in zoneinfo.available_timezones():
        zone = zoneinfo.ZoneInfo(key)
        for year in range(1990, 2026, 5):
            for month in (1, 7):
                moment = datetime(year, month, 15, tzinfo=UTC).astimezone(zone)
                hours = moment.utcoffset() / timedelta(hours=1)
                found.setdefault(moment.tzname(), set()).add(hours)
    return found


def test_abbreviations_have_the_offset_that_a_zone_has():
    found = offsets_of_all_zones()

    assert {name for name, hours in OFFSETS.items() if hours not in found[name]} == set()
    several = {name for name, hours in found.items() if len(hours) > 1}
    # what RFC 2822 defines is read, though clocks in Manila use the same letters
    assert several & set(OFFSETS) <= {"PST", "PDT"}
    assert {"CST", "CDT", "IST"} <= several & set(AMBIGUOUS)
    assert not set(AMBIGUOUS) & set(OFFSETS)


def test_names_of_utc_have_no_offset():
    assert [fixed_offset(name) for name in ("Z", "utc", "GMT", "UT")] == [0, 0, 0, 0]
    assert fixed_offset("est") == -5 * 3600
    assert fixed_offset("CST") is None


@pytest.mark.parametrize("name", ["../etc/passwd", "Europe", "Mars/Olympus", "", "Europe/"])
def test_what_is_no_region(name):
    assert not is_region(name)
    assert is_region("Europe/Berlin")


def test_hour_that_comes_twice_is_the_first_and_one_that_is_left_out_its_end():
    clocks = np.array(["2024-10-27T02:30", "2024-03-31T02:30"], "datetime64[s]").astype(np.int64)

    found = local_to_utc(clocks, "Europe/Berlin").astype("datetime64[s]")

    assert found.astype(str).tolist() == ["2024-10-27T00:30:00", "2024-03-31T01:00:00"]
