"""Names of time zones → seconds that their clocks are ahead of UTC."""

from __future__ import annotations

import zoneinfo
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

HOUR = 3600
UTC_NAMES = ("Z", "UTC", "GMT", "UT")

# Abbreviations that mean one offset: those of RFC 2822 and those that Java, R and PostgreSQL write.
# CST, CDT, IST, BST, AST and others mean several, and are refused.
OFFSETS = {
    **{"WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3},
    **{"EST": -5, "EDT": -4, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7},
    **{"AKST": -9, "AKDT": -8, "HST": -10, "CAT": 2, "EAT": 3, "WAT": 1, "SAST": 2, "PKT": 5},
    **{"WIB": 7, "HKT": 8, "AWST": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11},
    **{"NZST": 12, "NZDT": 13},
}
AMBIGUOUS = ("CST", "CDT", "IST", "BST", "AST", "ADT", "SST", "AMT", "ECT", "GST", "ACT", "MT")


@lru_cache(maxsize=256)
def is_region(name: str) -> bool:
    """Return whether a name is one of the IANA zones with a place in it, as Europe/Berlin."""
    try:
        return "/" in name and bool(zoneinfo.ZoneInfo(name).key)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False


def fixed_offset(name: str) -> int | None:
    """Return the seconds of an abbreviation; None if it is unknown or means several."""
    if name.upper() in UTC_NAMES:
        return 0
    hours = OFFSETS.get(name.upper())
    return None if hours is None else hours * HOUR


def local_to_utc(seconds: NDArray[np.int64], region: str) -> NDArray[np.int64]:
    """Return what clocks of a region show, in seconds since 1970 as if it were UTC, as UTC.

    Of an hour that comes twice the first is taken; one that is left out counts as its end.
    """
    clocks = pd.DatetimeIndex(seconds.astype("datetime64[s]"))
    moments = clocks.tz_localize(
        region, ambiguous=np.ones(len(clocks), np.bool_), nonexistent="shift_forward"
    )
    return moments.tz_convert(None).to_numpy().astype("datetime64[s]").astype(np.int64)
