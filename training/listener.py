"""What a run tells while it goes on; the base class listens to nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model import MLP
from training.config import AutoencoderConfig, RunConfig
from training.data import Table
from training.fit import Figures
from training.split import Split


class Listener:
    """Callbacks of :func:`training.pipeline.run`; override those of interest."""

    def on_table(self, table: Table) -> None:
        """Hear that the table has been read."""

    def on_split(self, table: Table, parts: Split) -> None:
        """Hear how its rows were divided."""

    def on_network(self, mlp: MLP, config: RunConfig, y_train: NDArray[np.int64]) -> None:
        """Hear that the classifier is about to be trained."""

    def on_autoencoder(self, config: AutoencoderConfig) -> None:
        """Hear that the autoencoder is about to be trained."""

    def on_epoch(self, epoch: int, figures: Figures) -> None:
        """Hear of an epoch's end."""

    def on_warning(self, text: str) -> None:
        """Hear what may be wrong, and the cure."""
