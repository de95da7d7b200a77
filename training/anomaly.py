"""Training the autoencoder on legitimate rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import Autoencoder
from model.anomaly import AnomalyScale
from model.scorer import AnomalyPart
from training.chunks import chunks_of
from training.config import AutoencoderConfig, LearningConfig
from training.errors import SplitError
from training.fit import Figures, History, fit
from training.row_order import batches_of, row_order
from training.scratch import MappedMatrix
from training.split import Split

Array = NDArray[Any]

WHITENING_ROWS = 2**15  # give a covariance to within a percent
WHITENING_CELLS = 2**22  # of all members' residuals, which have to fit into memory


def legitimate_parts(
    is_legitimate: NDArray[np.bool_], parts: Split
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows that an autoencoder learns from, and those that it is measured on.

    Raises
    ------
    SplitError
        If there are too few for one of the two.
    """
    if parts.folds is None:
        train = parts.train
        validation = np.concatenate([parts.validation_a, parts.validation_b])
    else:
        train, validation = parts.train[parts.folds != 0], parts.train[parts.folds == 0]
    train, validation = train[is_legitimate[train]], validation[is_legitimate[validation]]
    if len(train) == 0 or len(validation) < 2:
        raise SplitError("the autoencoder needs legitimate rows to train on and others to measure")
    return train, validation


def train_autoencoder(
    encode: Callable[[NDArray[np.intp]], Array | MappedMatrix],
    is_legitimate: NDArray[np.bool_],
    parts: Split,
    config: AutoencoderConfig,
    rng: np.random.Generator,
    on_epoch: Callable[[int, Figures], None] | None = None,
) -> tuple[AnomalyPart, History]:
    """Train an autoencoder, measure its residuals and set its threshold.

    Residuals and threshold come from legitimate rows that it did not learn from: the validation
    rows, or the first fold where the classifier is cross-fitted.

    Parameters
    ----------
    encode : callable
        Row numbers → encoded rows without bins.
    is_legitimate : ndarray (n,) of bool
        Of the whole table.
    parts : Split
    config : AutoencoderConfig
    rng : Generator
    on_epoch : callable, optional

    Raises
    ------
    SplitError
        If there are no legitimate rows for one of the two.
    """
    train, validation = legitimate_parts(is_legitimate, parts)
    X = encode(train)
    network = Autoencoder(
        X.shape[1],
        config.hidden,
        config.bottleneck,
        activation=config.activation,
        members=None if config.members == 1 else config.members,
        rng=rng,
        dtype=np.float32,
        drop_probability=config.drop_probability,
    )
    learning = LearningConfig(
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        epochs=config.epochs,
        batch_size=config.batch_size,
    )
    batches = _endless_batches(X, config.batch_size, rng)
    history = fit(
        network,
        X,
        X,
        learning,
        rng,
        batches=lambda _: islice(batches, config.steps_per_epoch),
        on_epoch=on_epoch,
    )
    # residuals are measured on other rows than errors: on the same they would look too small
    most = min(WHITENING_ROWS, max(WHITENING_CELLS // (config.members * X.shape[1]), X.shape[1]))
    network.fit_whitening(encode(_spread(validation[0::2], most))[:])
    others = encode(validation[1::2])
    chunks = chunks_of(*others.shape)
    errors = np.concatenate([network.reconstruction_error(others[chunk]) for chunk in chunks])
    return AnomalyPart(network, AnomalyScale.fit(errors, config.threshold_quantile)), history


def _spread(rows: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Return at most so many of some rows, evenly spread."""
    return rows[:: -(-len(rows) // most)]


def _endless_batches(
    X: Array | MappedMatrix, batch_size: int, rng: np.random.Generator
) -> Iterator[Array]:
    """Yield batches for ever, every row once before any comes again.

    An epoch is a number of them: small tables get as many steps as large ones.
    """
    while True:
        yield from batches_of(row_order(X, rng), batch_size)
