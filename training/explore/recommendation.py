"""A piece of advice, what it changes of a training run, and the command that follows all advice."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from training.column_lists import list_text
from training.config import RunConfig
from training.program import PROGRAM

COLUMNS = ("label", "positive", "time", "amount", "id")
CELLS = ("time_unit", "time_format", "decimal", "thousands", "encoding")


@dataclass(frozen=True)
class Advice:
    """What to do with a table, and why.

    Attributes
    ----------
    topic, text : str
    change : mapping
        What it changes of a run, and so of the command that follows it: ``label``, ``positive``,
        ``id``, ``drop`` (a sequence of columns), ``task``, ``split`` (how), ``memory``.
    hint : str
        Options that the reader has to fill in; no command has them.
    """

    topic: str
    text: str
    change: Mapping[str, Any] = field(default_factory=dict)
    hint: str = ""

    @property
    def option(self) -> str:
        """What to say to ``train``; empty where there is nothing to say."""
        change = {**self.change}
        if "drop" in change:
            change["drop"] = list_text(change["drop"])
        return " ".join(f"--{name} {shlex.quote(value)}" for name, value in change.items()) or (
            self.hint
        )


def followed(config: RunConfig, advice: Iterable[Advice]) -> RunConfig:
    """Return the configuration of a run that follows some advice."""
    data, split, task, memory = config.data, config.split, config.task, config.memory
    for own in advice:
        change = own.change
        columns = {name: change[name] for name in COLUMNS if name in change}
        dropped = [name for name in change.get("drop", ()) if name not in data.drop]
        data = replace(data, drop=(*data.drop, *dropped), **columns)
        split = replace(split, how=change.get("split", split.how))
        task, memory = change.get("task", task), change.get("memory", memory)
    return replace(config, data=data, split=split, task=task, memory=memory)


def command_of(config: RunConfig, file: str | None = None) -> str:
    """Return the command that trains so.

    Parameters
    ----------
    config : RunConfig
        What the options of an exploration and advice say; all else as in the file, or by default.
    file : str, optional
        The configuration file.
    """
    data, plain = config.data, RunConfig()
    given = {
        "--config": file,
        "--data": data.path,
        **{f"--{name.replace('_', '-')}": getattr(data, name) for name in (*COLUMNS, *CELLS)},
        "--drop": list_text(data.drop) or None,
        "--missing": list_text(data.missing) or None,
        "--task": config.task if config.task != plain.task else None,
        "--split": config.split.how if config.split.how != plain.split.how else None,
        "--base-rate": None if config.base_rate is None else repr(config.base_rate),
        "--memory": config.memory,
        "--name": config.name or None,
        "--seed": str(config.seed) if config.seed != plain.seed else None,
    }
    options = [f"{name} {shlex.quote(text)}" for name, text in given.items() if text is not None]
    return " ".join([PROGRAM, "train", *options])
