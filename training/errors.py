"""What can go wrong in a training run.

::

    TrainingError
    ├── DataError(source, reason, column)   the table cannot be trained on
    │   └── MissingColumnsError             it has not what a model needs
    ├── SplitError                          the rows cannot be divided as asked
    ├── ScratchError                        the disk has no room for what memory cannot hold
    ├── DivergedError(epoch, loss)          the loss is no number any more
    └── PromotionError                      a version that may not become champion
"""

from __future__ import annotations

from model.errors import TrainingError


class DataError(TrainingError):
    """A table that cannot be trained on or scored.

    Attributes
    ----------
    source : str
        The file, or what else the rows came from.
    reason : str
        What is wrong, and what was expected.
    column : str or None
        The column in question.
    """

    def __init__(self, source: str, reason: str, column: str | None = None) -> None:
        self.source = source
        self.reason = reason
        self.column = column
        where = f"{source}, column {column!r}" if column else source
        super().__init__(f"{where}: {reason}")


class MissingColumnsError(DataError):
    """A table without columns that a model needs."""

    def __init__(self, source: str, columns: list[str]) -> None:
        super().__init__(source, f"the model needs the columns {columns}, the table lacks them")


class SplitError(TrainingError):
    """Rows that cannot be divided as asked."""


class ScratchError(TrainingError):
    """A disk without room for what memory cannot hold."""


class DivergedError(TrainingError):
    """A run whose loss is no number any more."""

    def __init__(self, epoch: int, loss: float) -> None:
        self.epoch = epoch
        self.loss = loss
        super().__init__(
            f"training diverged in epoch {epoch} (loss {loss}): lower learning_rate, or set "
            "gradient_clip, and check the scaling of the features"
        )


class PromotionError(TrainingError):
    """A promotion that was refused; the champion is unchanged unless the message says so."""
