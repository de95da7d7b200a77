"""What happened epoch by epoch, as JSON types."""

from __future__ import annotations

from typing import Any

from training.fit import History

Facts = dict[str, Any]


def learning_facts(
    history: History | None, *, is_best_chosen: bool = False, is_weighted: bool = False
) -> Facts | None:
    """Return the figures of every epoch; None where nothing was trained."""
    if history is None or not history.epochs:
        return None
    names = list(history.epochs[0])
    return {
        "n_epochs": len(history.epochs),
        "best_epoch": history.best_epoch,
        "is_best_chosen": is_best_chosen,
        "is_weighted": is_weighted,
        "stopped_early": history.stopped_early,
        "figures": {name: [epoch[name] for epoch in history.epochs] for name in names},
    }
