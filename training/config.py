"""What a run is told: frozen, checked once, each part handed only to the step that needs it."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any, Literal

from model.activations import activation_named
from model.errors import ConfigurationError
from model.initializers import initializer_named
from training.ranges import BELOW_ONE, is_range, refuse_outside
from training.size import bytes_of
from training.tables.files import stem_of

MOST_BINS = 10_000  # of a feature: more than there are values in most
MOST_IN_BATCH = 1_000_000  # rows: a batch is held in memory, with all that passes through it
DECIMALS, THOUSANDS = (".", ","), (",", ".", " ", "'")
# Names of training.cells.time_units, which imports pyarrow: --help must answer at once.
TIME_UNITS = (
    *("s", "ms", "us", "ns", "minute", "hour", "day", "month"),
    *("yyyymmdd", "yyyymmddhhmmss", "excel"),
)


@dataclass(frozen=True)
class DataConfig:
    """Which table, and what its columns are.

    Attributes
    ----------
    path : str or None
        A CSV or Parquet file, a folder of them or a pattern; None: the simulated data set.
    label, time, amount, id : str or None
        Columns; found by their usual names where omitted.
    drop : tuple of str
        Columns that are no features.
    categorical : tuple of str
        Columns of codes that look like numbers but are categories, as merchant category codes.
    nullable : tuple of str
        Features that may be missing although none was in training.
    bounds : mapping of str to mapping
        Declared ``minimum`` and ``maximum`` of features, enforced when scoring.
    units : mapping of str to str
        Units of features, shown in the card.
    time_features : bool
        Whether date-time columns enter as calendar parts; the days between other dates and the
        transaction's time do in any case.
    missing : tuple of str
        Words that mean missing in every column, also in texts: ``NA`` may be Namibia there.
    decimal, thousands : str or None
        The marks in numbers, ``.`` or ``,``, and for thousands also a space or ``'``; found out
        where omitted.
    time_format : str or None
        How the time column writes its dates, as ``strptime`` reads them; found out where omitted.
    time_unit : str or None
        What a time column of numbers counts: one of :data:`TIME_UNITS`.
    positive : str or None
        The label's text that means fraud.
    encoding : str or None
        Of CSV files; UTF-8 and UTF-16 are recognised where it is omitted.
    attribution : str
        Whose data it is, for the card.
    """

    path: str | None = None
    label: str | None = None
    time: str | None = None
    amount: str | None = None
    id: str | None = None
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    nullable: tuple[str, ...] = ()
    bounds: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, Any] = field(default_factory=dict)
    time_features: bool = True
    missing: tuple[str, ...] = ()
    decimal: str | None = None
    thousands: str | None = None
    time_format: str | None = None
    time_unit: str | None = None
    positive: str | None = None
    encoding: str | None = None
    attribution: str = ""

    def __post_init__(self) -> None:
        _refuse_marks(self)
        for name, bounds in self.bounds.items():
            if not is_range(bounds):
                raise ConfigurationError(
                    f"bounds.{name} are minimum and maximum, numbers in this order, got {bounds!r}"
                )
        for name, unit in self.units.items():
            if not isinstance(unit, str):
                raise ConfigurationError(f"units.{name} must be a text, got {unit!r}")


@dataclass(frozen=True)
class SplitConfig:
    """How rows are divided.

    Attributes
    ----------
    how : {'time', 'random'}
        By time where the table has one; 'time' falls back to row order and says so.
    delay_seconds : float
        Gap before validation and before test: labels arrive late.
    test_share, validation_share : float
        Of all rows.
    validation : {'auto', 'holdout', 'cross_fit'}
        Hold rows out, or let every member leave out another fold; 'auto' cross-fits where frauds
        are few.
    """

    how: Literal["time", "random"] = "time"
    delay_seconds: float = 0.0
    test_share: float = 0.2
    validation_share: float = 0.2
    validation: Literal["auto", "holdout", "cross_fit"] = "auto"

    def __post_init__(self) -> None:
        refuse_outside(self, test_share=(0, 1), validation_share=(0, 1), delay_seconds=(0, inf))
        shares = (self.test_share, self.validation_share)
        if sum(shares) >= 1:
            raise ConfigurationError(
                f"test_share and validation_share add up to less than 1, got {shares}"
            )


@dataclass(frozen=True)
class NetworkConfig:
    """The classifier and what it reads."""

    layers: tuple[int, ...] = (24,)
    activation: str = "relu"
    members: int = 8
    n_bins: int = 32
    scaling: Literal["standard", "robust"] = "standard"
    drop_probability: float = 0.2
    batch_norm: bool = False
    residual: bool = False
    initializer: str | None = None

    def __post_init__(self) -> None:
        refuse_outside(self, layers=(1, inf), members=(1, inf), n_bins=(0, MOST_BINS))
        if self.n_bins == 1:
            raise ConfigurationError("n_bins must be 0, or 2 and more: one bin has no edges inside")
        refuse_outside(self, drop_probability=(0, BELOW_ONE))
        activation_named(self.activation)
        if self.initializer is not None:
            initializer_named(self.initializer)


@dataclass(frozen=True)
class LearningConfig:
    """The training loop.

    Attributes
    ----------
    class_weight : float
        0: none, 1: balanced, between: that power of the balanced ratio.
    resampling : {'none', 'smote', 'oversample', 'undersample'}
    resampled_share : float
        Share of fraud after resampling.
    min_frauds_per_batch : int
        Frauds guaranteed in every batch.
    l2 : float
        Penalty on squared weights, added to the gradient (AdamW decays instead).
    gradient_clip : float
        Largest norm of the gradient; 0: none.
    monitor : {'average_precision', 'f1'}
        What early stopping watches on validation rows.
    patience : int
        Epochs without improvement before the run stops; 0: never stops, keeps the best epoch's
        weights all the same where rows are held out.
    log_every : int
        Epochs between two printed lines.
    """

    optimizer: Literal["sgd", "adam", "adamw"] = "adamw"
    learning_rate: float = 2e-3
    momentum: float = 0.0
    weight_decay: float = 1e-2
    l2: float = 0.0
    schedule: Literal["constant", "step", "exponential", "cosine"] = "cosine"
    warmup: float = 0.05
    epochs: int = 30
    batch_size: int = 128
    class_weight: float = 0.0
    resampling: Literal["none", "smote", "oversample", "undersample"] = "none"
    resampled_share: float = 0.1
    min_frauds_per_batch: int = 0
    gradient_clip: float = 0.0
    monitor: Literal["average_precision", "f1"] = "average_precision"
    patience: int = 10
    log_every: int = 1

    def __post_init__(self) -> None:
        refuse_outside(self, epochs=(1, inf), batch_size=(1, MOST_IN_BATCH), log_every=(1, inf))
        refuse_outside(self, learning_rate=(0, inf), momentum=(0, BELOW_ONE), warmup=(0, 1))
        refuse_outside(self, weight_decay=(0, inf), l2=(0, inf), gradient_clip=(0, inf))
        refuse_outside(self, class_weight=(0, 1), resampled_share=(0, BELOW_ONE))
        refuse_outside(self, min_frauds_per_batch=(0, MOST_IN_BATCH), patience=(0, inf))
        if self.min_frauds_per_batch >= self.batch_size and self.min_frauds_per_batch:
            raise ConfigurationError("min_frauds_per_batch must be smaller than batch_size")


@dataclass(frozen=True)
class AutoencoderConfig:
    """The autoencoder and its training loop.

    Attributes
    ----------
    steps_per_epoch : int
        Batches that count as an epoch, however many rows there are.
    """

    hidden: tuple[int, ...] = (64,)
    bottleneck: int = 8
    activation: str = "relu"
    members: int = 4
    drop_probability: float = 0.1
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    epochs: int = 20
    steps_per_epoch: int = 200
    batch_size: int = 128
    threshold_quantile: float = 0.99

    def __post_init__(self) -> None:
        refuse_outside(self, hidden=(1, inf), bottleneck=(1, inf), members=(1, inf))
        refuse_outside(self, epochs=(1, inf), steps_per_epoch=(1, inf))
        refuse_outside(self, batch_size=(1, MOST_IN_BATCH))
        refuse_outside(self, learning_rate=(0, inf))
        refuse_outside(self, weight_decay=(0, inf), drop_probability=(0, BELOW_ONE))
        refuse_outside(self, threshold_quantile=(0, 1))
        activation_named(self.activation)


@dataclass(frozen=True)
class PolicyConfig:
    """How thresholds are chosen.

    Attributes
    ----------
    choose : {'cost', 'precision', 'recall', 'false_positive_rate', 'alert_budget', 'daily_alerts'}
        'cost' weighs each transaction's amount; the others find the two thresholds on validation
        rows: ``review`` and ``block`` are then target values (alerts in 10,000 transactions for
        the budget, alerts a day for the last; blocks count among the alerts).
    transactions_per_day : float or None
        For 'daily_alerts'; counted in the table where omitted.
    fee, friction, review_cost, amount_floor : float
        See :class:`model.decision.Policy`.
    cost_per_fraud : float or None
        What an approved fraud costs in all, for tables without amounts: in the place of
        ``amount_floor`` and ``fee``.
    calibration : {'platt', 'beta', 'isotonic', 'auto', 'none'}
        'auto': what cross-validation on the rows that calibrate prefers.
    anomaly_review : float or None
        Anomaly score from which an approved transaction is reviewed.
    """

    choose: Literal[
        "cost", "precision", "recall", "false_positive_rate", "alert_budget", "daily_alerts"
    ] = "cost"
    review: float | None = None
    block: float | None = None
    transactions_per_day: float | None = None
    fee: float = 15.0
    friction: float = 10.0
    review_cost: float = 3.0
    amount_floor: float = 0.0
    cost_per_fraud: float | None = None
    calibration: Literal["platt", "beta", "isotonic", "auto", "none"] = "platt"
    anomaly_review: float | None = None

    def __post_init__(self) -> None:
        refuse_outside(self, fee=(0, inf), friction=(0, inf), review_cost=(0, inf))
        refuse_outside(self, amount_floor=(0, inf), anomaly_review=(0, 1))
        refuse_outside(self, cost_per_fraud=(0, inf))
        refuse_outside(self, transactions_per_day=(1, inf))
        largest = {"alert_budget": 10_000, "daily_alerts": inf}.get(self.choose, 1)
        refuse_outside(self, review=(0, largest), block=(0, largest))
        if self.transactions_per_day is not None and self.choose != "daily_alerts":
            raise ConfigurationError(
                "transactions_per_day turns alerts a day into thresholds: it goes with "
                f"choose = 'daily_alerts', not {self.choose!r}"
            )
        n_targets = (self.review is not None) + (self.block is not None)
        if n_targets != (0 if self.choose == "cost" else 2):
            raise ConfigurationError(
                "review and block are the target values of every choose but 'cost', "
                f"got review={self.review}, block={self.block} with choose={self.choose!r}"
            )
        if self.review is not None and self.block is not None:
            gap = self.review - self.block  # all alerts are more than blocks, and less precise
            if (gap > 0) if self.choose == "precision" else (gap < 0):
                sign = "≤" if self.choose == "precision" else "≥"
                raise ConfigurationError(
                    f"review is the target of all alerts, block that of blocks alone, so review "
                    f"{sign} block, got review={self.review:g}, block={self.block:g}"
                )


@dataclass(frozen=True)
class RunConfig:
    """Everything one run is told.

    Attributes
    ----------
    name : str or None
        Folder under ``output``; the data file's stem where omitted.
    task : {'both', 'fraud', 'anomaly'}
    base_rate : float or None
        How common fraud really is; None: as the table has it.
    memory : str or None
        How much memory the run may use, as "2GB"; None: as much as it takes.
    """

    name: str | None = None
    output: str = "artifacts"
    reports: str = "reports"
    task: Literal["both", "fraud", "anomaly"] = "both"
    recipe: Literal["default", "textbook"] = "default"
    base_rate: float | None = None
    memory: str | None = None
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    learning: LearningConfig = field(default_factory=LearningConfig)
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    policy: PolicyConfig = field(default_factory=PolicyConfig)

    def __post_init__(self) -> None:
        if self.base_rate is not None and not 0 < self.base_rate < 1:
            raise ConfigurationError(f"base_rate lies between 0 and 1, got {self.base_rate}")
        refuse_outside(self, seed=(0, inf))
        if self.name in (".", "..") or any(sign in (self.name or "") for sign in "/\\"):
            raise ConfigurationError(f"name is the name of a folder, not a path, got {self.name!r}")
        if self.policy.anomaly_review is not None and self.task != "both":
            raise ConfigurationError(
                f"policy.anomaly_review needs task = 'both', not {self.task!r}"
            )
        if self.memory is not None:
            _refuse_memory(self.memory, self.learning.resampling)
        if self.learning.resampling != "none" and self.split.validation == "cross_fit":
            raise ConfigurationError("resampled rows cannot be cross-fitted: split.validation")

    @property
    def model_name(self) -> str:
        """The name of the model: given, or the data file's stem."""
        if self.name:
            return self.name
        if self.data.path is None:
            return "simulated"
        return stem_of(self.data.path)

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON types."""
        return asdict(self)


def _refuse_marks(data: DataConfig) -> None:
    """Raise unless what is said of the cells of a table can be."""
    for name, marks in (("decimal", DECIMALS), ("thousands", THOUSANDS)):
        mark = getattr(data, name)
        if mark is not None and mark not in marks:
            known = " or ".join(map(repr, marks))
            raise ConfigurationError(f"{name} must be {known}, got {mark!r}")
    if data.decimal is not None and data.decimal == data.thousands:
        raise ConfigurationError(f"decimal and thousands cannot both be {data.decimal!r}")
    if data.time_unit is not None and data.time_unit not in TIME_UNITS:
        known = ", ".join(TIME_UNITS)
        raise ConfigurationError(f"time_unit must be one of {known}, got {data.time_unit!r}")
    if data.time_format is not None and "%" not in data.time_format:
        raise ConfigurationError(
            f"time_format is written as %d.%m.%Y %H:%M, got {data.time_format!r}"
        )
    if data.encoding is not None:
        try:
            codecs.lookup(data.encoding)
        except LookupError:
            raise ConfigurationError(f"encoding {data.encoding!r} is unknown") from None


def _refuse_memory(memory: str, resampling: str) -> None:
    try:
        bytes_of(memory)
    except ConfigurationError as error:
        raise ConfigurationError(f"memory: {error}") from None
    if resampling != "none":
        raise ConfigurationError(
            f"memory cannot be limited with learning.resampling = {resampling!r}, which needs all "
            "rows at once: see learning.min_frauds_per_batch and learning.class_weight"
        )
