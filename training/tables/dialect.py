"""How a CSV file is written: its encoding, separator, quotes and column names."""

from __future__ import annotations

import codecs
import csv
import io
import lzma
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any, NoReturn

import pyarrow

from training.errors import DataError
from training.tables.files import Part

SEPARATORS = (",", ";", "\t", "|")
BLOCK_BYTES = 2**20
START_BYTES = 2**18  # that separator, quotes and names are seen in
START_ROWS = 100
NO_TEXTS = {
    b"PAR1": "this is a Parquet file: name it .parquet",
    b"PK\x03\x04": "this is an Excel or a zip file: save the table as CSV",
    b"\x1f\x8b": "this is compressed by gzip: name it .csv.gz",
}
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NAME_IT = "name the encoding with --encoding, as windows-1252 or utf-16"
LAST_LINE = "\x00"  # of no text file


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes
    ----------
    encoding : str
    separator, quote : str
    names : tuple of str
        Of the columns.
    ends_with_separator : bool
        Whether every row ends with a separator that the header lacks.
    skipped_lines : int
        Before the names: Excel writes ``sep=;``.
    has_quotes : bool
        Whether a quote comes anywhere, so that a cell may hold a line break.
    """

    encoding: str
    separator: str
    quote: str
    names: tuple[str, ...]
    ends_with_separator: bool
    skipped_lines: int
    has_quotes: bool

    @property
    def note(self) -> str | None:
        """What is unusual about it, in words; None of UTF-8 with commas and double quotes."""
        unusual = []
        if self.separator != ",":
            unusual.append(f"separated by {_named(self.separator)}")
        if self.quote != '"':
            unusual.append("quoted by '")
        if self.encoding != "utf-8":
            unusual.append(f"encoded as {self.encoding}")
        return ", ".join(unusual) or None


def open_bytes(part: Part) -> Any:
    """Open a file for reading its bytes, decompressed."""
    if part.compression == "xz":
        return lzma.open(part.path)
    return pyarrow.input_stream(str(part.path), compression=part.compression)


def dialect_of(part: Part, encoding: str | None = None) -> Dialect:
    """Return how a CSV file is written, after a look at all of its bytes.

    Parameters
    ----------
    part : Part
    encoding : str, optional
        As the user names it; recognised where omitted.

    Raises
    ------
    DataError
        If the file is empty, its bytes are not of its encoding, a quote is never closed, or names
        are missing or there twice.
    """
    source = str(part.path)
    with closing(open_bytes(part)) as file:
        start = _read(file, START_BYTES)
    if not start:
        raise DataError(source, "the file is empty")
    for magic, reason in NO_TEXTS.items():
        if start.startswith(magic):
            raise DataError(source, reason)
    encoding = _encoding_of(start) if encoding is None else _known(encoding)
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    text = decoder.decode(start).removeprefix("\ufeff")
    text, n_blank = _without_blank_lines(text)
    if text[:4] == "sep=" and text[4:5] in SEPARATORS and text[5:6] in ("\r", "\n"):
        separator, skipped = text[4], n_blank + 1
        text = text[5:].removeprefix("\r").removeprefix("\n")
    else:
        separator, skipped = _separator_of(text), n_blank
    quote = _quote_of(text, separator)
    rows = _rows_of(io.StringIO(text, newline=""), separator, quote)
    names, first = next(rows, []), next(rows, [])
    if not any(names):
        raise DataError(source, "the file is empty")
    _refuse_names(names, source)
    has_quotes = _check_bytes(part, encoding, quote)
    if has_quotes:
        _check_quotes(part, encoding, separator, quote, skipped - n_blank)
    return Dialect(
        encoding=encoding,
        separator=separator,
        quote=quote,
        names=tuple(names),
        ends_with_separator=len(first) == len(names) + 1 and not first[-1],
        skipped_lines=skipped,
        has_quotes=has_quotes,
    )


def _without_blank_lines(text: str) -> tuple[str, int]:
    """Return a text from its first line on that is not empty, and how many came before."""
    lines = text.splitlines(keepends=True)
    n_blank = next((n for n, line in enumerate(lines) if line.strip("\r\n")), 0)
    return "".join(lines[n_blank:]), n_blank


def _read(file: Any, n_bytes: int) -> bytes:
    """Read so many bytes; fewer only at the end of the file."""
    blocks = []
    while n_bytes and (block := file.read(n_bytes)):
        blocks.append(block)
        n_bytes -= len(block)
    return b"".join(blocks)


def _known(encoding: str) -> str:
    return codecs.lookup(encoding).name


def _encoding_of(start: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    even, odd = start[0:512:2], start[1:512:2]  # western texts in UTF-16: every other byte is zero
    if odd and odd.count(0) > 0.9 * len(odd) and not even.count(0):
        return "utf-16-le"
    if even and even.count(0) > 0.9 * len(even) and not odd.count(0):
        return "utf-16-be"
    return "utf-8"


def _separator_of(text: str) -> str:
    """Return the separator that splits the header, and the next row into as many cells."""

    def score(separator: str) -> tuple[bool, int]:
        rows = _rows_of(io.StringIO(text, newline=""), separator, '"')
        header, row = next(rows, []), next(rows, [])
        return len(header) == len(row), len(header)

    splitting = [sign for sign in SEPARATORS if score(sign)[1] > 1]
    return max(splitting, key=score) if splitting else ","


def _quote_of(text: str, separator: str) -> str:
    """Return the quote of the cells: a single one where it stands around cells and no double."""
    lines = text.splitlines()[:START_ROWS]
    cells = [cell for line in lines for cell in line.split(separator)]
    if any('"' in cell for cell in cells):
        return '"'
    around = Counter(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells)
    return "'" if 2 * around[True] >= max(len(lines) - 1, 2) else '"'


def _rows_of(lines: Any, separator: str, quote: str) -> Iterator[list[str]]:
    """Yield the rows of a text, without its empty lines."""
    yield from filter(None, csv.reader(lines, delimiter=separator, quotechar=quote))


def _refuse_names(names: list[str], source: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise DataError(source, f"column names must be unique, found twice: {twice}")
    if not all(names):
        place = names.index("") + 1
        cure = "; pandas writes an index so: index=False leaves it out" if place == 1 else ""
        raise DataError(source, f"column {place} of {len(names)} has no name: name it{cure}")


def _check_bytes(part: Part, encoding: str, quote: str) -> bool:
    """Refuse bytes that are not of the encoding, naming the line; return whether quotes come."""
    decoder = codecs.getincrementaldecoder(encoding)()
    is_utf8 = encoding == "utf-8"
    has_quotes, n_bytes = False, 0
    with closing(open_bytes(part)) as file:
        while True:
            block = file.read(BLOCK_BYTES)
            n_held = len(decoder.getstate()[0])  # bytes of a character that goes on in this block
            try:
                if not (is_utf8 and not n_held and block.isascii()):
                    decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                found = f"byte 0x{error.object[error.start]:02x} is no {encoding}"
                _refuse_byte(part, n_bytes - n_held + error.start, found)
            if is_utf8 and 0 in block:
                _refuse_byte(part, n_bytes + block.index(0), "a zero byte is no text", "remove it")
            if not block:
                return has_quotes
            n_bytes += len(block)
            has_quotes = has_quotes or quote.encode() in block


def _refuse_byte(part: Part, place: int, found: str, cure: str = NAME_IT) -> NoReturn:
    with closing(open_bytes(part)) as file:
        n_lines = 0
        while place > 0 and (block := file.read(min(place, BLOCK_BYTES))):
            n_lines += block.count(b"\n")
            place -= len(block)
    raise DataError(
        str(part.path),
        f"cannot be read: {found}, in line {n_lines + 1}: {cure}",
    )


def _check_quotes(part: Part, encoding: str, separator: str, quote: str, skipped: int) -> None:
    """Refuse a quote that is never closed, naming its row; an even number of quotes has none."""
    decoder = codecs.getincrementaldecoder(encoding)()
    n_quotes = 0
    with closing(open_bytes(part)) as file:
        while block := file.read(BLOCK_BYTES):
            n_quotes += decoder.decode(block).count(quote)
    if n_quotes % 2:
        with closing(open_bytes(part)) as file:
            lines = io.TextIOWrapper(io.BufferedReader(_Raw(file)), encoding, newline="")
            _refuse_open_quote(lines, str(part.path), separator, quote, -2 - skipped)


def _refuse_open_quote(
    lines: IO[str], source: str, separator: str, quote: str, before: int
) -> None:
    """Raise if a quote is still open behind the last line; ``before``: row before the first."""
    row, last = before, [""]
    try:
        for cells in _rows_of(chain(lines, [LAST_LINE]), separator, quote):
            row, last = row + 1, cells
    except csv.Error:  # a cell without end
        row, last = row + 1, []
    if last != [LAST_LINE]:
        where = f"row {row}" if row >= 0 else "the header"
        raise DataError(source, f"{where} opens a quote ({quote}) that is never closed")


class _Raw(io.RawIOBase):
    """Any file that reads bytes, as the standard library wants one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, or what of it there is left to fill."""
        block = self._file.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _named(separator: str) -> str:
    return {";": "semicolons", "\t": "tabs", "|": "bars"}[separator]
