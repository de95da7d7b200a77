"""Training the classifier: encoded rows → an MLP, and its logits on rows it did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import MLP
from model.calibration import prior_correction
from model.errors import ConfigurationError
from model.initializers import initializer_named
from model.losses import binary_cross_entropy, weights_per_row
from training.averaging import as_averaged
from training.chunks import chunks_of
from training.config import LearningConfig, NetworkConfig
from training.fit import Figures, History, fit
from training.imbalance import class_weights_of_strength, fraud_batches, learned_share, resample
from training.row_order import row_order
from training.scratch import MappedMatrix
from training.split import Split

Array = NDArray[Any]


@dataclass(frozen=True)
class Classifier:
    """A trained network and what is needed to calibrate it.

    Attributes
    ----------
    mlp : MLP
    history : History
    class_weights : dict of int to float
    offset : float
        Prior correction for class weights and resampling.
    calibration_rows : ndarray of int
        Rows of the table that trained no weight that scored them.
    held_out_logits : ndarray
        Their logits: of the ensemble, or of the member that left the row out.
    calibration_logits : ndarray
        The same as they would be of the ensemble: see :func:`training.averaging.as_averaged`.
    """

    mlp: MLP
    history: History
    class_weights: dict[int, float]
    offset: float
    calibration_rows: NDArray[np.intp]
    held_out_logits: Array
    calibration_logits: Array


def build_mlp(n_inputs: int, config: NetworkConfig, rng: np.random.Generator) -> MLP:
    """Return the untrained network of a configuration, in float32."""
    return MLP(
        [n_inputs, *config.layers, 1],
        [*[config.activation] * len(config.layers), "sigmoid"],
        members=None if config.members == 1 else config.members,
        rng=rng,
        initializer=initializer_named(config.initializer) if config.initializer else None,
        dtype=np.float32,
        drop_probability=config.drop_probability,
        batch_norm=config.batch_norm,
        residual=config.residual,
    )


def train_classifier(
    mlp: MLP,
    encode: Callable[[NDArray[np.intp]], Array | MappedMatrix],
    labels: NDArray[np.int64],
    parts: Split,
    config: LearningConfig,
    rng: np.random.Generator,
    on_epoch: Callable[[int, Figures], None] | None = None,
    *,
    groups: Sequence[NDArray[np.intp]] = (),
) -> Classifier:
    """Train a network on the rows of a split.

    Parameters
    ----------
    mlp : MLP
        Trained in place.
    encode : callable
        Row numbers → encoded rows.
    labels : ndarray (n,)
        Of the whole table.
    parts : Split
    config : LearningConfig
    rng : Generator
    on_epoch : callable, optional
    groups : sequence of ndarray
        Encoded columns of each categorical feature, "other" last.

    Raises
    ------
    ConfigurationError
        If resampling and cross-fitting are asked for together.
    DivergedError
        See :func:`training.fit.fit`.
    """
    X, y = encode(parts.train), labels[parts.train]
    share_before = float(y.mean())
    if config.resampling != "none":
        if parts.folds is not None:
            raise ConfigurationError("resampled rows cannot be cross-fitted: split.validation")
        X, y = resample(X, y, config.resampling, config.resampled_share, rng)
    class_weights = class_weights_of_strength(y, config.class_weight)
    weights = weights_per_row(y, class_weights)
    if parts.folds is None:
        sample_weights = weights.astype(np.float32)
        X_validation, y_validation = encode(parts.validation_a), labels[parts.validation_a]
    else:
        n_folds = mlp.members or 1
        sample_weights = np.empty((n_folds, len(y)), np.float32)
        for fold, of_member in enumerate(sample_weights):  # member k leaves fold k out
            of_member[:] = (parts.folds != fold) * weights * (n_folds / (n_folds - 1))
        X_validation, y_validation = X, y

    def evaluate() -> Figures:
        logits = held_out_logits(mlp, X_validation, parts.folds)
        return epoch_figures(logits, y_validation)

    history = fit(
        mlp,
        X,
        y.astype(np.float32),
        config,
        rng,
        batches=lambda rng: fraud_batches(
            y, config.batch_size, config.min_frauds_per_batch, rng, row_order(X, rng)
        ),
        sample_weights=sample_weights,
        evaluate=evaluate,
        keep_best=parts.folds is None,  # choosing an epoch would spend the held-out folds
        on_epoch=on_epoch,
    )
    settle_untrained_inputs(mlp, X, groups)
    share_after = learned_share(y, config.batch_size, config.min_frauds_per_batch)
    offset = prior_correction(class_weights, share_before, share_after)
    if parts.folds is None:
        rows = parts.validation_b
        held_out = calibrating = held_out_logits(mlp, encode(rows), None)
    else:
        rows, members = parts.train, member_logits(mlp, X)
        held_out = members[parts.folds, np.arange(len(rows))]
        calibrating = as_averaged(members, parts.folds, y)
    return Classifier(mlp, history, class_weights, offset, rows, held_out, calibrating)


def settle_untrained_inputs(
    mlp: MLP, X: Array | MappedMatrix, groups: Sequence[NDArray[np.intp]] = ()
) -> None:
    """Take chance out of the weights of inputs that no training row let vary.

    Their initial weights are random and were never corrected, so the first transaction in which
    such an input differs would get a random score. A constant input moves into the biases and
    loses its weights, which changes no training row; an "other" that training never showed gets
    the mean of the known categories, weighted by how often they come.

    Parameters
    ----------
    mlp : MLP
        Changed in place.
    X : ndarray (n, E)
        Encoded training rows.
    groups : sequence of ndarray
        Encoded columns of each categorical feature, "other" last.
    """
    first = mlp.layers[0]
    row = X[0]
    total, is_constant = np.zeros(len(row)), np.ones(len(row), bool)
    for chunk in chunks_of(*X.shape):
        rows = X[chunk]
        total += rows.sum(axis=0, dtype=np.float64)
        is_constant &= (rows == row).all(axis=0)
    share = total / len(X)
    constant = np.where(is_constant, row, 0).astype(np.float64)
    first.biases = first.biases + constant @ first.weights.astype(np.float64)
    first.weights = first.weights * ~is_constant[:, None]
    for columns in groups:
        *known, other = columns.tolist()
        if is_constant[other] and not constant[other]:
            first.weights[..., other, :] = share[known] @ first.weights[..., known, :]


def held_out_logits(mlp: MLP, X: Array | MappedMatrix, folds: NDArray[np.intp] | None) -> Array:
    """Return logits that no row's own label has shaped, shape (n,), float64.

    Without folds the mean of the members; with folds, of each row the logit of the one member
    that left its fold out.
    """
    parts = []
    for chunk in chunks_of(*X.shape):
        logits = np.atleast_2d(mlp.logits(X[chunk]))
        if folds is None:
            parts.append(logits.mean(axis=0))
        else:
            parts.append(logits[folds[chunk], np.arange(logits.shape[1])])
    return np.concatenate(parts).astype(np.float64)


def member_logits(mlp: MLP, X: Array | MappedMatrix) -> Array:
    """Return the logits of each member, shape (K, n), float64."""
    logits = [np.atleast_2d(mlp.logits(X[chunk])) for chunk in chunks_of(*X.shape)]
    return np.concatenate(logits, axis=1).astype(np.float64)


def epoch_figures(logits: Array, y: Array) -> Figures:
    """Return what is printed of an epoch: figures at probability 0.5, and average precision."""
    predicted = logits >= 0
    tp = int((predicted & (y == 1)).sum())
    fp, fn = int(predicted.sum()) - tp, int(y.sum()) - tp
    return {
        "accuracy": float((predicted == y).mean()),
        "precision": tp / (tp + fp) if tp + fp else 0.0,
        "recall": tp / (tp + fn) if tp + fn else 0.0,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp else 0.0,
        "average_precision": average_precision(logits, y),
        "validation_loss": binary_cross_entropy(logits[:, None], y[:, None])[0],
    }


def average_precision(scores: Array, y: Array) -> float:
    """Return Σ (Rₙ − Rₙ₋₁) Pₙ over the thresholds, as scikit-learn's ``average_precision_score``.

    It is the mean over the frauds of the precision among rows that score no less, which takes one
    sort without an order of the rows: a fraction of the time, after every epoch.

    Parameters
    ----------
    scores : ndarray (n,)
    y : ndarray (n,)
        0 or 1.
    """
    of_frauds = np.sort(scores[y == 1])
    if not len(of_frauds):
        return 0.0
    flagged = len(scores) - np.searchsorted(np.sort(scores), of_frauds)
    caught = len(of_frauds) - np.searchsorted(of_frauds, of_frauds)
    return float(np.mean(caught / flagged))
