"""Which files a path means, and the format and compression of each."""

from __future__ import annotations

from dataclasses import dataclass
from glob import glob
from pathlib import Path

from training.errors import DataError

PARQUET = ".parquet"
DELIMITED = (".csv", ".tsv", ".txt")
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".xz": "xz"}
EXPECTED = "a .csv, .tsv or .txt file (also .gz, .bz2, .zst or .xz), or a .parquet file"
WILDCARDS = "*?["


@dataclass(frozen=True)
class Part:
    """One file.

    Attributes
    ----------
    path : Path
    is_parquet : bool
    compression : str or None
        Of a text file: "gzip", "bz2", "zstd" or "xz".
    """

    path: Path
    is_parquet: bool
    compression: str | None = None


def parts_of(path: str) -> list[Part]:
    """Return the files that a path means: itself, those of a folder or of a pattern, in order.

    Files of a folder whose names begin with a dot or an underscore are no parts: writers leave
    marks and checksums there.

    Raises
    ------
    DataError
        If there is no such file, or one is of no known format.
    """
    here = Path(path)
    if here.is_file():
        return [_part(here, path)]
    if here.is_dir():
        found = [file for file in sorted(here.rglob("*")) if file.is_file() and _is_part(file)]
        parts = [_part(file, path) for file in found]
        _refuse_partitions(parts, here)
    else:
        matches = glob(path) if any(sign in path for sign in WILDCARDS) else []
        parts = [_part(Path(file), path) for file in sorted(matches)]
    if not parts:
        raise DataError(path, "the folder holds no files" if here.is_dir() else "no such file")
    if len({part.is_parquet for part in parts}) > 1:
        raise DataError(path, "some of its files are Parquet and others CSV: name one kind")
    return parts


def stem_of(path: str) -> str:
    """Return the name of a path without its endings; of a pattern that of its folder.

    Examples
    --------
    >>> stem_of("data/cards.2024.CSV.gz")
    'cards.2024'
    """
    place = Path(path)
    if any(sign in place.name for sign in WILDCARDS):
        place = place.parent
    name = place.name
    for endings in (tuple(COMPRESSIONS), (*DELIMITED, PARQUET)):
        ending = next((e for e in endings if name.lower().endswith(e)), "")
        name = name[: len(name) - len(ending)]
    return name


def _is_part(file: Path) -> bool:
    return not file.name.startswith((".", "_"))


def _part(file: Path, source: str) -> Part:
    endings = [ending.lower() for ending in file.suffixes[-2:]]
    compression = COMPRESSIONS.get(endings[-1]) if endings else None
    if compression is not None:
        endings = endings[:-1]
    ending = endings[-1] if endings else ""
    if ending == PARQUET and compression is None:
        return Part(file, is_parquet=True)
    if ending in DELIMITED:
        return Part(file, is_parquet=False, compression=compression)
    where = "" if str(file) == source else f"{file.name}: "
    raise DataError(source, f"{where}expected {EXPECTED}")


def _refuse_partitions(parts: list[Part], folder: Path) -> None:
    for part in parts:
        for name in part.path.relative_to(folder).parts[:-1]:
            if "=" in name:
                raise DataError(
                    str(folder),
                    f"the folder {name!r} holds a column in its name, which would be lost: write "
                    "the table with that column in its files",
                )
