"""A training run tried up to where it begins to learn: what it would refuse is known before.

The table is read by the code that training reads it with, and divided with the same chance; only
the values are not kept, so that a table of any size can be tried.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from numpy.typing import DTypeLike

from model.errors import ConfigurationError
from training.anomaly import legitimate_parts
from training.column_scan import Known
from training.config import RunConfig
from training.data import from_source
from training.errors import DataError, SplitError, TrainingError
from training.explore.reading import OnRows, WatchedSource
from training.explore.recommendation import Advice, followed
from training.fitting import n_members, streams_of
from training.memory import Memory
from training.split import split
from training.tables.source import Source


@dataclass(frozen=True)
class Trial:
    """What a run that follows some advice would come to.

    Attributes
    ----------
    config : RunConfig
        That begins to learn; where none does, that was tried first.
    more : tuple of Advice
        What it needed beyond the advice.
    refusal : str or None
        Why no run can begin; None where one can.
    """

    config: RunConfig
    more: tuple[Advice, ...]
    refusal: str | None


def tried(
    source: Source, known: Known, config: RunConfig, parts: Collection[str], on_rows: OnRows
) -> Trial:
    """Try a run; where its division of the rows is refused, another, and then without labels.

    Columns whose values are refused are left out, but for those that play a part.

    Parameters
    ----------
    source : Source
    known : Known
        What the exploration has found in it.
    config : RunConfig
    parts : collection of str
        The columns that play a part: the label, the time, the amount, the id.
    on_rows : callable
        Told of progress.
    """
    watched = WatchedSource(source, "trying", on_rows)
    refusal = None
    for way in _ways(config):
        more = [] if way is None else [replace(way, text=f"{refusal}. {way.text}")]
        while True:
            run = followed(config, more)
            try:
                _begin(watched, known, run)
                return Trial(run, tuple(more), None)
            except DataError as error:
                plain = error.column is not None and error.column not in {*parts, *run.data.drop}
                if not plain:
                    return Trial(config, (), refusal or str(error))
                more.append(_without(str(error.column), error))
            except SplitError as error:
                refusal = refusal or str(error)
                break
            except (TrainingError, ConfigurationError) as error:
                return Trial(config, (), refusal or str(error))
    return Trial(config, (), refusal)


def _ways(config: RunConfig) -> Iterator[Advice | None]:
    """Yield what changes a run whose rows cannot be divided as they were; first of all nothing."""
    yield None
    topic = "Rows that cannot be divided"
    if config.split.how == "time" and not config.split.delay_seconds:
        yield Advice(topic, "Divide at random, and trust the result less.", {"split": "random"})
    if config.task != "anomaly":
        yield Advice(topic, "Train the autoencoder alone.", {"task": "anomaly"})


def _without(column: str, error: DataError) -> Advice:
    text = (
        f"Training refuses {column}: {error.reason}. Mend it; until then the command leaves it out."
    )
    return Advice("A column that is refused", text, {"drop": [column]})


def _begin(source: Source, known: Known, config: RunConfig) -> None:
    """Do what a run does before it learns.

    Raises
    ------
    TrainingError, ConfigurationError
        As the run would.
    """
    limit = Memory.of(config.memory)
    memory = _Forgetful(limit.limit or sys.maxsize, limit.base)
    memory.refuse()
    is_supervised = config.task != "anomaly"
    table = from_source(source, config.data, memory, is_supervised, known)
    rng = streams_of(config.seed)["split"]
    parts = split(table, config.split, n_members(config), rng, needs_both_classes=is_supervised)
    if parts.folds is not None and is_supervised:
        memory.refuse(len(table), len(table.spec.features), config.network.members)
    if config.task != "fraud":
        legitimate_parts(table.classes == 0, parts)


class _Forgetful(Memory):
    """A bound on memory, if only a formal one, whose matrices keep nothing."""

    def matrix(
        self, shape: tuple[int, int], _dtype: DTypeLike, _order: Literal["C", "F"] = "C"
    ) -> Any:
        """Return what can be filled, and has only a length."""
        return _Rows(shape[0])


class _Rows:
    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows

    def __len__(self) -> int:
        return self._n_rows

    def __setitem__(self, rows: slice, values: Any) -> None:
        """Keep nothing."""
