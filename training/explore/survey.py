"""The whole exploration: a table is read and sampled, then counted; all that is told follows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from training.column_names import LABELS, find_column
from training.column_scan import Known
from training.config import DataConfig
from training.errors import DataError
from training.explore.eras import Eras, eras_of
from training.explore.layout import Layout, look_at
from training.explore.reading import OnRows, WatchedSource, unwatched
from training.explore.sample import Drawing, Samples
from training.explore.tally import Tally, tally
from training.explore.values import frames_of
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
    source : Source
        The table, to be read once more.
    known : Known
        What that reading need not look for again.
    n_bytes : int or None
        Of the file; None where there was none.
    """

    layout: Layout
    samples: Samples
    eras: Eras
    tally: Tally
    seed: int
    source: Source
    known: Known
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
        If the table cannot be read, has no rows, or lacks a column that is named.
    """
    if config.path is None:
        raise DataError("data", "no file given")
    source = FileSource(config.path, config.encoding)
    return replace(survey_source(source, config, seed, on_rows), n_bytes=source.n_bytes)


def survey_source(
    source: Source, config: DataConfig, seed: int, on_rows: OnRows = unwatched
) -> Survey:
    """Read any table; see :func:`survey`."""

    def watched(what: str) -> WatchedSource:
        return WatchedSource(source, what, on_rows)

    label = find_column(list(source.looks), config.label, LABELS, source.name)
    drawing = Drawing(source.looks, label, config.positive, seed)
    layout, known = look_at(watched("reading"), config, drawing.add)
    samples = drawing.samples(layout)
    eras = eras_of(layout, samples)
    frames = frames_of(watched("counting"), layout)
    counted = tally(frames, layout, samples, eras, seed)
    return Survey(layout, samples, eras, counted, seed, source, known)
