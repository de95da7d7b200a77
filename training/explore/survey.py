"""The whole exploration: a table is read twice, and all that is told of it follows from that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from training.config import DataConfig
from training.data import Frames
from training.errors import DataError
from training.explore.eras import Eras, eras_of
from training.explore.layout import Layout, look_at
from training.explore.reading import OnRows, frames_of, in_blocks, unwatched, watched
from training.explore.sample import Samples
from training.explore.tally import Tally, tally


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
    frames : callable
        What reads the table once more.
    n_bytes : int or None
        Of the file; None where there was none.
    """

    layout: Layout
    samples: Samples
    eras: Eras
    tally: Tally
    seed: int
    frames: Frames
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
    path = Path(config.path)
    frames = frames_of(path, config.categorical)
    found = survey_frames(frames, config, config.path, seed, on_rows)
    return replace(found, n_bytes=path.stat().st_size)


def survey_frames(
    frames: Frames,
    config: DataConfig,
    source: str,
    seed: int,
    on_rows: OnRows = unwatched,
) -> Survey:
    """Read a table that is given in frames of any number of rows; see :func:`survey`.

    Parameters
    ----------
    frames : callable
        Columns to be read as texts → the frames from the first on, their rows numbered through.
    """
    layout, samples = look_at(frames, config, source, seed, on_rows)
    eras = eras_of(layout, samples)
    blocks = watched(in_blocks(frames(layout.texts)), "counting", on_rows)
    found = tally(blocks, layout, samples, eras, seed)
    return Survey(layout, samples, eras, found, seed, frames)
