"""What people use instead, and where the good settings of each are looked for.

A peer whose package is not installed is left out; :func:`absent` names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

try:
    from xgboost import XGBClassifier
except ImportError:
    XGBClassifier = None
try:
    from lightgbm import LGBMClassifier
except ImportError:
    LGBMClassifier = None

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Peer:
    """A classifier of another library.

    Attributes
    ----------
    build : callable
        Seed and parameters → an untrained estimator; without parameters the library's defaults.
    space : callable
        Optuna's trial → parameters.
    """

    build: Callable[[int, Parameters], Any]
    space: Callable[[Any], Parameters]


def _xgboost(seed: int, parameters: Parameters) -> Any:
    return XGBClassifier(random_state=seed, n_jobs=1, **parameters)


def _xgboost_space(trial: Any) -> Parameters:
    return {
        "n_estimators": trial.suggest_int("n_estimators", 50, 500, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 9),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.5, 50, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.4, 1),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 30, log=True),
    }


def _lightgbm(seed: int, parameters: Parameters) -> Any:
    return LGBMClassifier(random_state=seed, n_jobs=1, verbose=-1, **parameters)


def _lightgbm_space(trial: Any) -> Parameters:
    return {
        "n_estimators": trial.suggest_int("n_estimators", 50, 500, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 127, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 5, 200, log=True),
        "subsample_freq": 1,
        "subsample": trial.suggest_float("subsample", 0.5, 1),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.4, 1),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 30, log=True),
    }


def _forest(seed: int, parameters: Parameters) -> Any:
    return RandomForestClassifier(random_state=seed, **parameters)


def _forest_space(trial: Any) -> Parameters:
    return {
        "max_depth": trial.suggest_int("max_depth", 4, 30, log=True),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 50, log=True),
        "max_features": trial.suggest_float("max_features", 0.1, 0.6),
        "max_samples": trial.suggest_float("max_samples", 0.1, 0.6),
    }


def _mlp(seed: int, parameters: Parameters) -> Any:
    return make_pipeline(StandardScaler(), MLPClassifier(random_state=seed, **parameters))


def _mlp_space(trial: Any) -> Parameters:
    width = trial.suggest_int("width", 8, 128, log=True)
    return {
        "hidden_layer_sizes": [width] * trial.suggest_int("depth", 1, 2),
        "alpha": trial.suggest_float("alpha", 1e-6, 1, log=True),
        "learning_rate_init": trial.suggest_float("learning_rate_init", 1e-4, 1e-2, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [128, 512]),
        "max_iter": trial.suggest_int("max_iter", 5, 40, log=True),
    }


def _logistic(seed: int, parameters: Parameters) -> Any:
    options = {"max_iter": 1000, **parameters}
    return make_pipeline(StandardScaler(), LogisticRegression(random_state=seed, **options))


def _logistic_space(trial: Any) -> Parameters:
    return {"C": trial.suggest_float("C", 1e-4, 100, log=True)}


FOREST, MLP, LOGISTIC = "random forest", "scikit-learn MLP", "logistic regression"
XGBOOST, LIGHTGBM = "XGBoost", "LightGBM"

INSTALLED = {
    XGBOOST: XGBClassifier is not None,
    LIGHTGBM: LGBMClassifier is not None,
}
ALL = {
    XGBOOST: Peer(_xgboost, _xgboost_space),
    LIGHTGBM: Peer(_lightgbm, _lightgbm_space),
    FOREST: Peer(_forest, _forest_space),
    MLP: Peer(_mlp, _mlp_space),
    LOGISTIC: Peer(_logistic, _logistic_space),
}


def peers(*names: str) -> dict[str, Peer]:
    """Return the peers of these names whose package is installed."""
    return {name: ALL[name] for name in names if INSTALLED.get(name, True)}


def absent() -> list[str]:
    """Return the peers whose package is not installed."""
    return [name for name, is_installed in INSTALLED.items() if not is_installed]
