"""What an Arrow type is here: texts, numbers, moments or truths; what is none of them is left out.

What encodes another type (dictionaries, runs) is decoded. Nothing depends on the values: the same
type is read the same way, whatever stands in a chunk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray
from pyarrow import types

Look = Literal["boolean", "number", "moment", "text", "bytes", "nothing", "other"]

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6}
SECONDS_OF_DAY = 86_400
TEXT = pyarrow.large_string()
# what a text may not hold: control characters, but for tab and line breaks
BINARY = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"


@lru_cache
def look_of(kind: pyarrow.DataType) -> Look:
    """Return what the values of a type are."""
    kind = _decoded(kind)
    if types.is_boolean(kind):
        return "boolean"
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_timestamp(kind) or types.is_date(kind):
        return "moment"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    if is_bytes(kind):
        return "bytes"
    return "nothing" if types.is_null(kind) else "other"


def is_bytes(kind: pyarrow.DataType) -> bool:
    """Return whether the values of a type are bytes, of fixed length or not."""
    return (
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )


def decoded(array: pyarrow.Array) -> pyarrow.Array:
    """Return an array as one of its values: without dictionary, without runs."""
    if types.is_dictionary(array.type):
        return decoded(array.dictionary_decode())
    if types.is_run_end_encoded(array.type):
        return decoded(pyarrow.compute.run_end_decode(array))
    return array


def _decoded(kind: pyarrow.DataType) -> pyarrow.DataType:
    while types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        kind = kind.value_type
    return kind


def are_texts(array: pyarrow.Array) -> bool:
    """Return whether bytes are all texts in UTF-8."""
    try:
        texts = _as_binary(array).cast(TEXT)
    except pyarrow.ArrowInvalid:
        return False
    found = pyarrow.compute.match_substring_regex(texts, BINARY)
    return not pyarrow.compute.any(found, min_count=0).as_py()


def _as_binary(array: pyarrow.Array) -> pyarrow.Array:
    array = decoded(array)
    if types.is_large_binary(array.type):
        return array
    return array.cast(pyarrow.binary()).cast(pyarrow.large_binary())


def _decode_bytes(array: pyarrow.Array) -> pyarrow.Array:
    try:
        return _as_binary(array).cast(TEXT)
    except pyarrow.ArrowInvalid:  # no texts: see are_texts
        cells = _as_binary(array).to_pylist()
        return pyarrow.array([c and c.decode("utf-8", "replace") for c in cells], TEXT)


def texts_of(array: pyarrow.Array, missing: Sequence[str] = ()) -> pyarrow.Array:
    """Return any values as texts; whole numbers without a decimal point.

    Each value by itself: a chunk of a column gives what the whole column would.

    Parameters
    ----------
    array : pyarrow.Array
    missing : sequence of str
        Words that are null, as the empty text always is.
    """
    array = decoded(array)
    look = look_of(array.type)
    if look == "bytes":
        array = _decode_bytes(array)
    elif look == "number" and not types.is_integer(array.type):
        values = array.to_pylist()
        return pyarrow.array([None if _is_nan(v) else _number_text(v) for v in values], TEXT)
    elif look == "boolean":
        return pyarrow.compute.if_else(array, "True", "False").cast(TEXT)
    elif array.type != TEXT:
        array = array.cast(TEXT)
    if look not in ("text", "bytes") or not (missing or _has_empty(array)):
        return array
    is_word = pyarrow.compute.is_in(array, value_set=pyarrow.array(["", *missing], TEXT))
    if not pyarrow.compute.any(is_word, min_count=0).as_py():
        return array
    return pyarrow.compute.if_else(is_word, pyarrow.scalar(None, TEXT), array)


def _has_empty(texts: pyarrow.Array) -> bool:
    """Return whether an empty text is among some texts, which null is not."""
    ends = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return len(texts) - np.count_nonzero(ends[1:] - ends[:-1]) > texts.null_count


def is_missing(array: pyarrow.Array) -> NDArray[np.bool_]:
    """Return which values are null, or NaN."""
    array = decoded(array)
    nulls = pyarrow.compute.is_null(array, nan_is_null=types.is_floating(array.type))
    return nulls.to_numpy(zero_copy_only=False)


def _is_nan(value: Any) -> bool:
    return value is None or value != value


def _number_text(value: Any) -> str:
    # not the remainder: a decimal of more than 28 digits has none
    return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)


def floats_of(array: pyarrow.Array) -> NDArray[np.float64]:
    """Return numbers or truths as floats, NaN for null."""
    array = decoded(array)
    if types.is_decimal(array.type):  # by way of their digits: rounded once
        array = array.cast(TEXT)
    elif types.is_boolean(array.type):
        array = array.cast(pyarrow.uint8())
    floats = array.cast(pyarrow.float64(), safe=False)
    return np.array(floats.to_numpy(zero_copy_only=False), np.float64)


def seconds_of(array: pyarrow.Array) -> NDArray[np.float64]:
    """Return moments as seconds since 1970 UTC, NaN for null; without a zone they are UTC.

    To the microsecond, as a text is read.
    """
    array = decoded(array)
    if types.is_date32(array.type):
        return floats_of(array.cast(pyarrow.int32())) * SECONDS_OF_DAY
    whole = array.cast(pyarrow.int64())
    unit = "ms" if types.is_date64(array.type) else array.type.unit
    if unit == "ns":
        present = whole.fill_null(0).to_numpy() // 1000
        micros = np.where(is_missing(whole), np.nan, present)
        return micros / PER_SECOND["us"]
    return floats_of(whole) / PER_SECOND[unit]
