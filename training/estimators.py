"""Our networks as scikit-learn estimators: for pipelines, cross-validation and searches.

Both are the networks, the preprocessing and the training loop of ``python -m training train``, on
numbers in memory. What scikit-learn calls ``random_state`` becomes a Generator here, at the border.
"""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from model.calibration import Calibration
from model.decision import Policy, ScoreScale
from model.errors import ConfigurationError
from model.features import Feature, FeatureSpec, Matrix
from model.preprocessing import Preprocessor
from model.reasons import Reason
from model.scorer import FraudPart, Scorer
from training.anomaly import train_autoencoder
from training.classifier import build_mlp, train_classifier
from training.config import AutoencoderConfig, LearningConfig, NetworkConfig
from training.split import Split, stratified_folds

Labels = NDArray[np.int64]

FEWEST_EPOCHS = 30
FEWEST_STEPS = 300  # a small table is gone through more often
HOLD_OUT_FOLDS = 5  # of a single network: two of five folds are held out
FEWEST_ROWS = 4  # to learn from some, whiten by others and measure a third part


class FraudClassifier(ClassifierMixin, BaseEstimator):
    """A binary classifier whose probabilities are calibrated on rows that did not train them.

    Numbers enter standardised and in bins, missing ones (NaN) filled and flagged; one that is
    missing where ``fit`` saw none missing counts as the typical one. An ensemble of small networks
    is cross-fitted: each leaves another fold out, and what they say of the folds that they left
    out calibrates their mean.

    Parameters
    ----------
    layers : tuple of int
        Units of the hidden layers.
    activation : str
    members : int
        Networks in the ensemble; 1: a single one, which holds two fifths of the rows out.
    n_bins : int
        Bins of each feature; 0: none.
    drop_probability : float
        Dropout.
    learning_rate, weight_decay : float
        Of AdamW.
    epochs : int or None
        None: 30, or as many as make 300 steps.
    batch_size : int
    balance : float
        Class weights while learning, 0: none, 1: balanced; probabilities stay true.
    calibration : {'platt', 'beta', 'isotonic', 'auto', 'none'}
    random_state : int, RandomState instance or None
        As everywhere in scikit-learn; the same number gives the same network.

    Attributes
    ----------
    classes_ : ndarray (2,)
        The second is what is called fraud.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where a frame with names was given.
    scorer_ : Scorer
        All that was learned.
    history_ : History
        The figures of each epoch.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.model_selection import cross_val_score
    >>> X, y = make_classification(400, weights=[0.9], random_state=0)
    >>> classifier = FraudClassifier(members=2, random_state=0)
    >>> bool(cross_val_score(classifier, X, y, scoring="roc_auc", cv=3).mean() > 0.85)
    True
    """

    def __init__(
        self,
        layers: tuple[int, ...] = (24,),
        *,
        activation: str = "relu",
        members: int = 8,
        n_bins: int = 16,
        drop_probability: float = 0.2,
        learning_rate: float = 5e-3,
        weight_decay: float = 1e-2,
        epochs: int | None = None,
        batch_size: int = 128,
        balance: float = 0.0,
        calibration: str = "platt",
        random_state: Any = None,
    ) -> None:
        self.layers = layers
        self.activation = activation
        self.members = members
        self.n_bins = n_bins
        self.drop_probability = drop_probability
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.balance = balance
        self.calibration = calibration
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Say what it takes: two classes, and NaN for missing values."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    @threadpool_limits.wrap(limits=1)  # sums must not be rounded by how many cores there are
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train, and calibrate.

        Parameters
        ----------
        X : array_like (n, F)
            Numbers; NaN is missing.
        y : array_like (n,)
            Two classes, of any type; the one that sorts last is fraud.

        Raises
        ------
        ValueError
            If X or y is not that.
        ConfigurationError
            If a parameter cannot work (a ValueError too).
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind != "binary":
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {kind}."
            )
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs two classes, y has one class: {self.classes_}")
        rng = _generator(self.random_state)
        network = NetworkConfig(
            layers=tuple(self.layers),
            activation=self.activation,
            members=self.members,
            n_bins=self.n_bins,
            drop_probability=self.drop_probability,
        )
        learning = LearningConfig(
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            epochs=self.epochs or _epochs(len(X), self.batch_size),
            batch_size=self.batch_size,
            class_weight=self.balance,
        )
        spec = _specification(self, X, labels)
        preprocessor = Preprocessor.fit(spec, X, labels=labels, n_bins=network.n_bins)
        encoded = preprocessor.transform(X).astype(np.float32)
        trained = train_classifier(
            build_mlp(preprocessor.n_encoded, network, rng),
            lambda rows: encoded[rows],
            labels,
            _parts(labels, self.members, rng),
            learning,
            rng,
        )
        logits, y = trained.calibration_logits, labels[trained.calibration_rows]
        calibration = Calibration.fit(
            logits, y, method=self.calibration, offset=trained.offset, rng=rng
        )
        scale = ScoreScale.fit(logits[y == 0])
        # in double precision answers do not depend on how many rows are asked for at once
        mlp = trained.mlp.astype(np.float64)
        part = FraudPart(mlp, calibration, scale, Policy())
        self.scorer_ = Scorer(type(self).__name__, spec, preprocessor, part, None)
        self.history_ = trained.history
        return self

    def decision_function(self, X: ArrayLike) -> Matrix:
        """Return the calibrated log-odds of fraud, shape (n,); above 0 fraud is the likelier."""
        matrix = _rows(self, X)
        logits = self.scorer_.logits(matrix).mean(axis=0)
        return self.scorer_.fraud.calibration.logits(logits)

    def predict_proba(self, X: ArrayLike) -> Matrix:
        """Return the probabilities of both classes, shape (n, 2)."""
        matrix = _rows(self, X)
        fraud = self.scorer_.score(matrix).probability
        return np.column_stack([1 - fraud, fraud])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likelier class of each row, shape (n,)."""
        is_fraud = self.decision_function(X) > 0
        return self.classes_[is_fraud.astype(np.intp)]

    def explain(self, X: ArrayLike) -> list[list[Reason]]:
        """Return at most four reasons for each row, strongest first."""
        matrix = _rows(self, X)
        return self.scorer_.reasons(matrix)


class AnomalyDetector(OutlierMixin, BaseEstimator):
    """An outlier detector: autoencoders learn what rows look like; what they cannot rebuild is odd.

    Missing numbers (NaN) are taken as :class:`FraudClassifier` takes them.

    Parameters
    ----------
    hidden : tuple of int
        Units of the encoder's hidden layers; the decoder mirrors them.
    bottleneck : int
    activation : str
    members : int
        Autoencoders whose mean error counts.
    drop_probability : float
        Dropout of the input.
    learning_rate : float
    epochs : int
    steps_per_epoch : int
        Batches that count as an epoch.
    batch_size : int
    contamination : float or 'auto'
        Share of the rows of ``fit`` to call outliers, above 0 and at most 0.5; 'auto': what is
        odder than 99 % of rows that were held out.
    random_state : int, RandomState instance or None
        As everywhere in scikit-learn.

    Attributes
    ----------
    offset_ : float
        ``decision_function`` is ``score_samples`` minus this.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where a frame with names was given.
    scorer_ : Scorer
        All that was learned.
    history_ : History

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(2, 500))
    >>> usual = np.column_stack([a, b, a + b, a - b])
    >>> detector = AnomalyDetector(bottleneck=2, random_state=0).fit(usual)
    >>> detector.predict([[0.5, 0.5, 1.0, 0.0], [2.0, 2.0, -4.0, 0.0]]).tolist()
    [1, -1]
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (32,),
        bottleneck: int = 8,
        *,
        activation: str = "relu",
        members: int = 4,
        drop_probability: float = 0.1,
        learning_rate: float = 5e-3,
        epochs: int = 20,
        steps_per_epoch: int = 25,
        batch_size: int = 128,
        contamination: Any = "auto",
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.bottleneck = bottleneck
        self.activation = activation
        self.members = members
        self.drop_probability = drop_probability
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.batch_size = batch_size
        self.contamination = contamination
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Say what it takes: NaN for missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @threadpool_limits.wrap(limits=1)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: ARG002 (pipelines pass it)
        """Train on most rows, measure on the others.

        Parameters
        ----------
        X : array_like (n, F)
            Numbers; NaN is missing.
        y : ignored

        Raises
        ------
        ValueError
            If X is not that.
        ConfigurationError
            If a parameter cannot work (a ValueError too).
        """
        X = validate_data(
            self,
            X,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=FEWEST_ROWS,
        )
        is_share = isinstance(self.contamination, Real) and 0 < self.contamination <= 0.5
        if not is_share and self.contamination != "auto":
            raise ConfigurationError(
                f"contamination is 'auto' or lies in (0, 0.5], got {self.contamination!r}"
            )
        rng = _generator(self.random_state)
        config = AutoencoderConfig(
            hidden=tuple(self.hidden),
            bottleneck=self.bottleneck,
            activation=self.activation,
            members=self.members,
            drop_probability=self.drop_probability,
            learning_rate=self.learning_rate,
            epochs=self.epochs,
            steps_per_epoch=self.steps_per_epoch,
            batch_size=self.batch_size,
        )
        usual = np.zeros(len(X), np.int64)
        spec = _specification(self, X, usual)
        preprocessor = Preprocessor.fit(spec, X)
        encoded = preprocessor.transform(X).astype(np.float32)
        part, self.history_ = train_autoencoder(
            lambda rows: encoded[rows], usual == 0, _parts(usual, 1, rng), config, rng
        )
        part = replace(part, autoencoder=part.autoencoder.astype(np.float64))
        self.scorer_ = Scorer(type(self).__name__, spec, preprocessor, None, part)
        self.offset_ = -part.scale.threshold
        if is_share:
            self.offset_ = float(np.percentile(self._scores(X), 100 * self.contamination))
        return self

    def score_samples(self, X: ArrayLike) -> Matrix:
        """Return the reconstruction error with a minus, shape (n,): the lower, the odder."""
        return self._scores(_rows(self, X))

    def decision_function(self, X: ArrayLike) -> Matrix:
        """Return how far each row is from being an outlier, shape (n,); outliers are below 0."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> Labels:
        """Return -1 for outliers and 1 for the others, shape (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _scores(self, matrix: Matrix) -> Matrix:
        return -self.scorer_.anomaly(matrix).reconstruction_error


def _generator(random_state: Any) -> np.random.Generator:
    """Return a Generator that what scikit-learn takes for random_state decides."""
    words = check_random_state(random_state).randint(2**31, size=4)
    return np.random.default_rng(words)


def _epochs(n_rows: int, batch_size: int) -> int:
    steps = -(-n_rows // max(batch_size, 1))
    return max(FEWEST_EPOCHS, -(-FEWEST_STEPS // steps))


def _specification(estimator: BaseEstimator, X: Matrix, labels: Labels) -> FeatureSpec:
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = [f"x{number}" for number in range(X.shape[1])]
    is_missing = np.isnan(X).any(axis=0).tolist()
    features = [
        Feature(str(name), nullable=missing)
        for name, missing in zip(names, is_missing, strict=True)
    ]
    return FeatureSpec(tuple(features)).measured(X, labels == 0)


def _rows(estimator: Any, X: ArrayLike) -> Matrix:
    """Return rows for a fitted estimator to judge, checked against those it was fitted on."""
    check_is_fitted(estimator)
    X = validate_data(estimator, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
    scorer = estimator.scorer_
    never_missing = np.array([not feature.nullable for feature in scorer.spec.features])
    return np.where(np.isnan(X) & never_missing, scorer.preprocessor.fill, X)


def _parts(labels: Labels, members: int, rng: np.random.Generator) -> Split:
    """Return all rows in folds, one a member; for a single network two folds are held out."""
    n_folds = members if members > 1 else HOLD_OUT_FOLDS
    folds = stratified_folds(labels, n_folds, rng)
    empty = np.empty(0, np.intp)
    if members > 1:
        return Split(np.arange(len(labels)), empty, empty, empty, folds, "in folds")
    early, late = n_folds - 2, n_folds - 1
    held_out = (folds < early, folds == early, folds == late)
    return Split(*map(np.flatnonzero, held_out), empty, None, "at random, each class alike")
