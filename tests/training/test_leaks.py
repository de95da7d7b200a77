"""What a row may shape: nothing before its part has its turn."""

from dataclasses import asdict

import numpy as np
import pytest

from tests.training.runs import train
from tests.training.tables import mixed_frame

FRAME = mixed_frame(1500)
THRESHOLDS = {"choose": "recall", "review": 0.9, "block": 0.5}


def trained(frame, folder, validation, policy=THRESHOLDS):
    """Train on a frame."""
    return train(frame, folder, split={"validation": validation}, policy=policy)


def fitted_facts(run):
    """Return everything of a run that was fitted to data, by name."""
    scorer = run.artifact.scorer
    autoencoder = scorer.anomalies.autoencoder
    return {
        "features": scorer.spec.to_dict(),
        **{f"preprocessing.{k}": v for k, v in scorer.preprocessor.to_arrays().items()},
        "weights": scorer.fraud.mlp.parameters,
        "autoencoder": autoencoder.parameters,
        "whitening": autoencoder.whitening,
        "anomaly scale": asdict(scorer.anomalies.scale),
        "calibration": asdict(scorer.fraud.calibration),
        "score scale": asdict(scorer.fraud.scale),
        "policy": asdict(scorer.fraud.policy),
    }


def differences(one, other):
    """Return the names of the facts that differ between two runs."""
    facts, others = fitted_facts(one), fitted_facts(other)
    assert facts.keys() == others.keys()
    return {name for name in facts if not np.array_equal(facts[name], others[name])}


@pytest.fixture(scope="module", params=["holdout", "cross_fit"])
def reference(request, tmp_path_factory):
    """Return a run on the untouched table, and how it validates."""
    return trained(FRAME, tmp_path_factory.mktemp("run"), request.param), request.param


def test_test_rows_shape_nothing(reference, tmp_path, rng):
    """Their values, their labels, and categories that only they show."""
    run, validation = reference
    rows = run.parts.test
    changed = FRAME.copy()
    changed.loc[rows, "is_fraud"] = 1 - changed.loc[rows, "is_fraud"]
    changed.loc[rows, "amount"] = 1e6 * rng.random(len(rows))
    changed.loc[rows, "v1"] = -50.0
    changed.loc[rows, "v2"] = np.nan
    changed.loc[rows, "constant"] = 7.0
    changed.loc[rows[:100], "merchant"] = "aviation"
    changed.loc[rows[100:], "merchant"] = None
    changed.loc[rows, "is_new_device"] = True

    other = trained(changed, tmp_path, validation)

    assert differences(run, other) == set()
    assert run.table.digest != other.table.digest
    assert run.evaluation != other.evaluation


def test_calibration_rows_shape_calibration_and_policy_alone(tmp_path):
    run = trained(FRAME, tmp_path / "one", "holdout")
    rows = run.parts.validation_b
    changed = FRAME.copy()
    changed.loc[rows, "is_fraud"] = changed.loc[rows, "is_fraud"].to_numpy()[::-1]

    other = trained(changed, tmp_path / "other", "holdout")

    found = differences(run, other)
    assert {"calibration", "policy"} <= found
    # legitimate validation rows also measure residuals and false positives
    assert found <= {"calibration", "policy", "score scale", "whitening", "anomaly scale"}


def test_validation_rows_do_not_shape_the_preprocessing(tmp_path):
    run = trained(FRAME, tmp_path / "one", "holdout")
    rows = np.concatenate([run.parts.validation_a, run.parts.validation_b])
    changed = FRAME.copy()
    changed.loc[rows, ["amount", "v1"]] *= 100.0
    changed.loc[rows[:50], "merchant"] = "aviation"

    other = trained(changed, tmp_path / "other", "holdout")

    found = differences(run, other)
    assert not {name for name in found if name.startswith("preprocessing") or name == "features"}
    assert "autoencoder" not in found


def test_training_rows_shape_everything(reference, tmp_path):
    """The other way round: the comparison above would notice a change."""
    run, validation = reference
    changed = FRAME.copy()
    changed.loc[run.parts.train[::2], "v1"] += 3.0

    found = differences(run, trained(changed, tmp_path, validation))

    assert {"weights", "autoencoder", "calibration", "preprocessing.centre", "features"} <= found
