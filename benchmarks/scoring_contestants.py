"""Who races in ``scoring_speed``: each takes raw rows and returns what it says of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.contestants import torch
from model.scorer import Scorer

try:
    import xgboost
except ImportError:
    xgboost = None
try:
    import lightgbm
except ImportError:
    lightgbm = None

Contestant = Callable[[np.ndarray], Any]


def ours(scorer: Scorer) -> dict[str, dict[str, Contestant]]:
    """Return what a scorer answers, by job."""

    def explained(rows: np.ndarray) -> Any:
        return scorer.reasons(rows, scorer.score(rows))

    return {
        "score": {"fraudscore": scorer.score},
        "explain": {"fraudscore": explained},
        "anomaly": {"fraudscore": scorer.anomaly},
    }


def peers(X: np.ndarray, y: np.ndarray) -> dict[str, dict[str, Contestant]]:
    """Train what other libraries have for each job, with their defaults and one thread."""
    forest = RandomForestClassifier(random_state=0, n_jobs=1).fit(X, y)
    network = make_pipeline(
        StandardScaler(), MLPClassifier((16, 16), max_iter=5, random_state=0)
    ).fit(X, y)
    isolation = IsolationForest(random_state=0).fit(X)
    jobs: dict[str, dict[str, Contestant]] = {
        "score": {
            "scikit-learn MLP 16-16": network.predict_proba,
            "random forest": forest.predict_proba,
        },
        "explain": {},
        "anomaly": {"isolation forest": isolation.score_samples},
    }
    if xgboost is not None:
        _add_xgboost(jobs, X, y)
    if lightgbm is not None:
        classifier = lightgbm.LGBMClassifier(random_state=0, n_jobs=1, verbose=-1).fit(X, y)
        trees = classifier.booster_
        jobs["score"]["LightGBM, predict_proba"] = classifier.predict_proba
        jobs["score"]["LightGBM, Booster.predict"] = partial(trees.predict, num_threads=1)
        jobs["explain"]["LightGBM, pred_contrib"] = partial(
            trees.predict, pred_contrib=True, num_threads=1
        )
    return jobs


def _add_xgboost(jobs: dict[str, dict[str, Contestant]], X: np.ndarray, y: np.ndarray) -> None:
    classifier = xgboost.XGBClassifier(random_state=0, n_jobs=1).fit(X, y)
    booster = classifier.get_booster()

    def contributions(rows: np.ndarray) -> Any:
        return booster.predict(xgboost.DMatrix(rows, nthread=1), pred_contribs=True)

    jobs["score"]["XGBoost, predict_proba"] = classifier.predict_proba
    jobs["score"]["XGBoost, inplace_predict"] = booster.inplace_predict
    jobs["explain"]["XGBoost, pred_contribs"] = contributions


def same_in_pytorch(scorer: Scorer) -> Contestant:
    """Return the scorer's own network, encoding included, in PyTorch.

    For a model of numeric features that are never missing, and of dense layers with ReLU.
    """
    assert scorer.fraud is not None  # noqa: S101
    fitted = {
        name: torch.from_numpy(a.copy()) for name, a in scorer.preprocessor.to_arrays().items()
    }
    low, high, centre, scale = (fitted[name] for name in ("low", "high", "centre", "scale"))
    left, width, binned = fitted["left"], fitted["width"], fitted["binned"]
    right, is_logarithmic = left + width, fitted["is_logarithmic"]
    layers = [
        (
            torch.from_numpy(layer.weights.copy()),
            torch.from_numpy(layer.biases[..., None, :].copy()),
        )
        for layer in scorer.fraud.mlp.layers
    ]

    @torch.inference_mode()
    def predict_proba(rows: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(rows)
        values = torch.where(is_logarithmic, torch.log1p(x.clamp(min=0)), x)
        scaled = (values.clamp(low, high) - centre) * scale
        ramps = (x[:, binned].clamp(left, right) - left) / width
        A = torch.cat([scaled, ramps], dim=1).float()
        for weights, biases in layers[:-1]:
            A = torch.relu(torch.matmul(A, weights) + biases)
        weights, biases = layers[-1]
        logits = (torch.matmul(A, weights) + biases)[..., 0]
        return torch.sigmoid(logits.mean(dim=0) if logits.ndim > 1 else logits).numpy()

    return predict_proba
