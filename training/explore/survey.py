"""The whole exploration: a table is read three times, and all that is told follows from that."""

from __future__ import annotations

from dataclasses import dataclass, replace

from training.config import DataConfig
from training.errors import DataError
from training.explore.eras import Eras, eras_of
from training.explore.layout import Layout, decide, look_at
from training.explore.reading import OnRows, in_blocks, unwatched, watched
from training.explore.sample import Samples
from training.explore.tally import Tally, tally
from training.tables.source import FileSource, Source


@dataclass(frozen=True)
class Survey:
    """What is known of a table.

    Attributes
    ----------
    layout : Layout
    samples : Samples
    eras : Eras
    tally : Tally
    seed : int
    n_bytes : int or None
        Of the file; None where there was none.
    """

    layout: Layout
    samples: Samples
    eras: Eras
    tally: Tally
    seed: int
    n_bytes: int | None = None


def survey(config: DataConfig, seed: int, on_rows: OnRows = unwatched) -> Survey:
    """Read the table that a configuration names.

    Parameters
    ----------
    config : DataConfig
    seed : int
        Of the sample.
    on_rows : callable
        Told of progress: what is being done, and to how many more rows.

    Raises
    ------
    DataError
        If the file cannot be read, has no rows, or lacks a column that is named.
    """
    if config.path is None:
        raise DataError("data", "no file given")
    source = FileSource(config.path, config.encoding)
    found = survey_source(source, config, seed, on_rows)
    return replace(found, n_bytes=source.n_bytes)


def survey_source(
    source: Source, config: DataConfig, seed: int, on_rows: OnRows = unwatched
) -> Survey:
    """Read any table that can be read more than once; see :func:`survey`."""
    decided = decide(source, config)
    layout, samples = look_at(decided, config, seed, on_rows)
    eras = eras_of(layout, samples)
    blocks = watched(in_blocks(decided.frames()), "counting", on_rows)
    found = tally(blocks, layout, samples, eras, seed)
    return Survey(layout, samples, eras, found, seed)
