"""Champion and challenger: which version serves, and whether a new one may.

The pointer ``champion.json`` is replaced atomically, after the version that it will name has been
loaded and verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from model.artifact import Artifact, load
from model.errors import ArtifactNotFoundError, TrainingError
from model.features import FeatureSpec
from model.pointer import Pointer, load_champion, read_pointer, write_pointer
from training.chunks import RowsOf, chunks_of
from training.data import Table
from training.ranking import Ranking

Array = NDArray[Any]

RESAMPLES = 1000
LEVEL = 0.95
FEWEST_FRAUDS = 10  # a comparison on fewer says nothing


class PromotionError(TrainingError):
    """A promotion that was refused; the champion is unchanged."""


NO_TEXT = "\0"  # of no table


@dataclass(frozen=True)
class Comparison:
    """Average precision of two models on the same rows.

    Attributes
    ----------
    n_rows, n_frauds : int
    champion, challenger : float
    low, high : float
        95 % interval of challenger minus champion, from a paired bootstrap.
    """

    n_rows: int
    n_frauds: int
    champion: float
    challenger: float
    low: float
    high: float

    @property
    def is_worse(self) -> bool:
        """Whether the rows show the challenger to be worse."""
        return self.high < 0


def champion_of(directory: Path) -> Artifact | None:
    """Return the champion of a model's folder; None where nothing was ever promoted.

    Raises
    ------
    ArtifactError
        If there is one and it is damaged.
    """
    try:
        read_pointer(directory)
    except ArtifactNotFoundError:
        return None
    return load_champion(directory)[0]


def promote(directory: Path, version: str) -> Pointer:
    """Make a version the champion, after having verified it.

    Raises
    ------
    ArtifactError
        If the version is missing or damaged; the champion is then unchanged.
    """
    artifact = load(directory / f"{version}.npz")
    try:
        current = read_pointer(directory)
    except ArtifactNotFoundError:
        previous = None
    else:
        previous = current.previous if current.version == version else current.version
    now = datetime.now(UTC).isoformat(timespec="seconds")
    pointer = Pointer(artifact.version, artifact.sha256, previous, now)
    write_pointer(directory, pointer)
    return pointer


def rollback(directory: Path) -> Pointer:
    """Return to the version that served before.

    Raises
    ------
    PromotionError
        If there was none.
    ArtifactError
        If it is missing or damaged; the champion is then unchanged.
    """
    current = read_pointer(directory)
    if current.previous is None:
        raise PromotionError(f"{directory}: no version served before {current.version}")
    return promote(directory, current.previous)


def compare(
    champion: Artifact,
    challenger: Artifact,
    matrix: NDArray[np.float64] | RowsOf,
    y: Array,
    rng: np.random.Generator,
) -> Comparison:
    """Compare two models on labelled rows that neither was trained on.

    The bootstrap draws rows once and scores both models on each draw (Efron & Tibshirani, 1993,
    chapter 13, percentile interval): what is hard for one is hard for the other. Rows that lack a
    value which the champion needs are left out: it would refuse them.

    Parameters
    ----------
    champion, challenger : Artifact
    matrix : ndarray (n, F) or RowsOf
        Raw rows in the challenger's order of features.
    y : ndarray (n,)
    rng : Generator

    Raises
    ------
    PromotionError
        If features or tasks differ, or the rows hold too few frauds.
    """
    refuse_other_features(champion.scorer.spec, challenger.scorer.spec)
    if champion.scorer.fraud is None or challenger.scorer.fraud is None:
        raise PromotionError("one of the two models has no classifier: promote by hand")
    is_complete = np.ones(len(y), bool)
    for column in _needed_columns(champion, challenger):
        is_complete &= ~np.isnan(matrix[:, column])
    y = y[is_complete]
    _refuse_few_frauds(y)
    logits = [np.empty(len(y)) for _ in range(2)]
    start = 0
    for chunk in chunks_of(len(matrix), challenger.scorer.preprocessor.n_encoded):
        rows = matrix[chunk][is_complete[chunk]]
        for artifact, z in zip((champion, challenger), logits, strict=True):
            scores = artifact.scorer.score(_recoded(rows, challenger, artifact))
            z[start : start + len(rows)] = scores.logits
        start += len(rows)
    before, after = (float(average_precision_score(y, z)) for z in logits)
    rankings = [Ranking(y, z) for z in logits]
    differences = []
    for _ in range(RESAMPLES):
        weights = rng.multinomial(len(y), np.full(len(y), 1 / len(y)))
        if (weights * y).sum():
            drawn = [ranking.average_precision(weights) for ranking in rankings]
            differences.append(drawn[1] - drawn[0])
    low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return Comparison(len(y), int(y.sum()), before, after, low, high)


def refuse_without_classifiers(champion: Artifact, task: str) -> None:
    """Raise if a champion, or what is to be trained for a task, scores anomalies alone.

    Raises
    ------
    PromotionError
        There is nothing to compare by.
    """
    if champion.scorer.fraud is None:
        raise PromotionError(
            f"the champion {champion.version} has no classifier to compare with: train, and "
            "promote by hand"
        )
    if task == "anomaly":
        raise PromotionError(
            "a model without a classifier cannot be compared with the champion "
            f"{champion.version}: train, and promote by hand"
        )


def _refuse_few_frauds(y: Array) -> None:
    if y.sum() < FEWEST_FRAUDS or (1 - y).sum() < FEWEST_FRAUDS:
        raise PromotionError(
            f"{int(y.sum())} frauds among {len(y)} rows that neither model was trained on; at "
            f"least {FEWEST_FRAUDS} are needed to compare them: promote by hand"
        )


def rows_to_compare(champion: Artifact, table: Table, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return those of some rows on which a new model can be compared with the champion.

    Parameters
    ----------
    champion : Artifact
    table : Table
        What the new model is trained on.
    rows : ndarray of int
        The rows it is not trained on.

    Raises
    ------
    PromotionError
        If there can be no comparison: other features, no labels, no times, too few new frauds.
    """
    refuse_other_features(champion.scorer.spec, table.spec)
    if table.labels is None:
        raise PromotionError("without labels there is nothing to compare by")
    rows = unseen_rows(champion, table, rows)
    _refuse_few_frauds(table.labels[rows])
    return rows


def refuse_other_features(champion: FeatureSpec, challenger: FeatureSpec) -> None:
    """Raise unless both models read the same transactions.

    Raises
    ------
    PromotionError
        Naming the features that differ, and how.
    """
    before = {feature.name: feature for feature in champion.features}
    after = {feature.name: feature for feature in challenger.features}
    differences = [f"{name} is gone" for name in before if name not in after]
    differences += [f"{name} is new" for name in after if name not in before]
    for name in before.keys() & after.keys():
        old, new = before[name], after[name]
        if old.kind != new.kind:
            differences.append(f"{name} was {old.kind}, is {new.kind}")
        elif old.nullable and not new.nullable:
            differences.append(f"{name} may not be missing any more")
    if differences:
        raise PromotionError(
            f"the features differ, clients would be refused: {'; '.join(sorted(differences))}"
        )


def _needed_columns(champion: Artifact, challenger: Artifact) -> list[int]:
    """Return where the challenger's rows hold what may not be missing for the champion."""
    names = challenger.scorer.spec.names
    return [names.index(f.name) for f in champion.scorer.spec.features if not f.nullable]


def _recoded(
    matrix: NDArray[np.float64], source: Artifact, target: Artifact
) -> NDArray[np.float64]:
    """Return rows of one model as another reads them: its column order, its category codes."""
    if source is target:
        return matrix
    names = source.scorer.spec.names
    columns = {}
    for feature in source.scorer.spec.features:
        cells = matrix[:, names.index(feature.name)]
        if feature.kind == "categorical":
            texts = [*feature.categories, NO_TEXT, NO_TEXT]  # no category: other there as well
            columns[feature.name] = [None if np.isnan(c) else texts[int(c)] for c in cells]
        else:
            columns[feature.name] = cells
    return target.scorer.spec.matrix_from_columns(columns)


def unseen_rows(champion: Artifact, table: Table, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return those of some rows that the champion cannot have been trained on: the newer ones.

    Raises
    ------
    PromotionError
        If time does not tell.
    """
    latest = champion.manifest["training_data"].get("latest_time")
    if latest is None or table.times is None:
        raise PromotionError(
            "without a time column nobody can tell which rows the champion was trained on: "
            "compare on rows of your choice and promote by hand"
        )
    return rows[table.times[rows] > latest]
