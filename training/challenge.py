"""A new model against the champion of its name: compared, or why they cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.artifact import Artifact
from model.errors import ArtifactError
from training.chunks import RowsOf
from training.pipeline import Run
from training.promote import Comparison, PromotionError, champion_of, compare, rows_to_compare


@dataclass(frozen=True)
class Challenge:
    """What came of a comparison with the champion.

    Attributes
    ----------
    champion : str or None
        Its version; None if it cannot be read.
    comparison : Comparison or None
    refusal : str or None
        Why there is no comparison.
    """

    champion: str | None
    comparison: Comparison | None
    refusal: str | None

    def compared(self) -> Comparison:
        """Return the comparison.

        Raises
        ------
        PromotionError
            If there is none.
        """
        if self.comparison is None:
            raise PromotionError(str(self.refusal))
        return self.comparison


def challenge(run: Run) -> Challenge | None:
    """Compare a new model with the champion of its folder; None where nothing was ever promoted."""
    directory: Path = run.artifact.path.parent
    try:
        champion = champion_of(directory)
    except ArtifactError as error:
        return Challenge(None, None, f"the champion cannot be read: {error}")
    if champion is None:
        return None
    try:
        return Challenge(champion.version, _compared(champion, run), None)
    except PromotionError as error:
        return Challenge(champion.version, None, str(error))


def _compared(champion: Artifact, run: Run) -> Comparison:
    table = run.table
    rows = rows_to_compare(champion, table, run.parts.test)
    rng = np.random.default_rng(run.config.seed)
    return compare(champion, run.artifact, RowsOf(table.matrix, rows), table.classes[rows], rng)
