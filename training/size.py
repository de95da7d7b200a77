"""Sizes as people write them: ``2GB``, ``512MB``, ``1.5GiB``."""

from __future__ import annotations

from re import fullmatch

from model.errors import ConfigurationError

SPACE = "\u00a0"  # between a number and its unit: they stay on one line
BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def bytes_of(text: str) -> int:
    """Return a size in bytes.

    Raises
    ------
    ConfigurationError
        If the text is no size.

    Examples
    --------
    >>> bytes_of("2GB")
    2000000000
    """
    match = fullmatch(r"(\d+(?:\.\d+)?)\s*([MGT]I?B)", text.strip().upper())
    if match is None:
        raise ConfigurationError(f"expected a size such as 2GB, 512MB or 1.5GiB, got {text!r}")
    return int(float(match[1]) * BYTES[match[2]])


def size_text(n_bytes: float) -> str:
    """Return a size for people, rounded up: what is asked for by it is enough.

    Examples
    --------
    >>> size_text(1_234_567_890)
    '1235MB'
    """
    return f"{-int(-n_bytes // 10**6)}MB"


def as_bytes(size: float) -> str:
    """Return a size in memory or on disk.

    Examples
    --------
    >>> as_bytes(12_345_678).replace(SPACE, " "), as_bytes(12).replace(SPACE, " ")
    ('12.3 MB', '12 bytes')
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:,.0f}{SPACE}{unit}" if unit == "bytes" else f"{size:,.1f}{SPACE}{unit}"
