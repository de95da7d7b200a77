"""Runs that are asked for something else, and tables that hold something odd."""

import numpy as np
import pandas as pd
import pytest

from model.errors import ConfigurationError
from tests.training.runs import figures_of, train
from tests.training.tables import mixed_frame
from training import pipeline
from training.config_file import load_config
from training.errors import DivergedError, SplitError

FRAME = mixed_frame(3000)


@pytest.mark.parametrize("validation", ["holdout", "cross_fit"])
def test_without_test_rows_the_figures_are_those_of_rows_held_out(tmp_path, validation):
    run = train(FRAME, tmp_path, split={"test_share": 0.0, "validation": validation})

    assert run.evaluated_part == "validation"
    assert run.artifact.manifest["metrics"]["evaluated_on"] == "validation"
    assert run.evaluation.n_rows == (3000 if validation == "cross_fit" else 300)
    assert 0.9 < figures_of(run)["roc_auc"] < 1
    assert "anomaly_metrics" not in run.artifact.manifest


@pytest.mark.parametrize(
    "changes",
    [
        {"split": {"how": "random"}},
        {"split": {"delay_seconds": 86_400.0}},
        {"network": {"layers": []}},
        {"network": {"members": 1, "n_bins": 0}},
        {"network": {"layers": [8, 8], "batch_norm": True, "residual": True}},
        {"network": {"activation": "prelu", "scaling": "robust", "initializer": "he_uniform"}},
        {"learning": {"optimizer": "sgd", "momentum": 0.9, "l2": 1e-4, "gradient_clip": 1.0}},
        {"learning": {"resampling": "smote", "resampled_share": 0.3}},
        {"learning": {"resampling": "oversample", "resampled_share": 0.3}},
        {"learning": {"resampling": "undersample", "resampled_share": 0.3, "batch_size": 16}},
        {"learning": {"min_frauds_per_batch": 8}},
        {"learning": {"class_weight": 1.0, "monitor": "f1"}},
        {"policy": {"calibration": "isotonic"}},
        {"policy": {"calibration": "none"}},
        {"policy": {"choose": "alert_budget", "review": 500.0, "block": 100.0}},
        {"policy": {"anomaly_review": 0.999}},
        {"data": {"time_features": False}},
    ],
    ids=str,
)
def test_run_works_in_every_variation(tmp_path, changes):
    run = train(FRAME, tmp_path, **changes)

    assert figures_of(run)["roc_auc"] > 0.8
    scores = run.artifact.scorer.score(run.table.matrix[run.parts.test])
    rate = FRAME["is_fraud"].mean()
    assert scores.probability.mean() == pytest.approx(rate, rel=0.5)


def test_variation_of_a_file_reaches_the_run(tmp_path):
    """Resampling has no option of its own on the command line."""
    FRAME.to_csv(tmp_path / "cards.csv", index=False)
    (tmp_path / "run.toml").write_text(
        'task = "fraud"\n[data]\nid = "payment_id"\n[network]\nlayers = [4]\nmembers = 1\n'
        '[learning]\nepochs = 1\nresampling = "undersample"\nresampled_share = 0.5\n'
    )
    overrides = {"data": {"path": str(tmp_path / "cards.csv")}, "output": str(tmp_path / "out")}

    run = pipeline.run(load_config(tmp_path / "run.toml", overrides))

    share = FRAME["is_fraud"][run.parts.train].mean()
    assert run.classifier.offset == pytest.approx(np.log(share / (1 - share)), abs=0.01)
    assert run.parts.folds is None


def test_table_of_a_single_constant_column_is_no_reason_to_crash(tmp_path):
    run = train(FRAME[["constant", "is_fraud", "payment_id"]], tmp_path)

    figures = figures_of(run)
    assert (figures["roc_auc"], run.evaluation.impact.amount_caught) == (0.5, None)
    assert run.parts.note.startswith("by row order")


def test_value_of_1e300_is_no_reason_to_crash(tmp_path):
    frame = FRAME.copy()
    frame.loc[7, "v1"] = 1e300

    run = train(frame, tmp_path)

    assert np.isfinite(run.artifact.scorer.score(run.table.matrix).probability).all()


def test_category_that_only_test_rows_show_is_other_and_counted_as_unseen(tmp_path):
    frame = FRAME.copy()
    frame.loc[2500:, "merchant"] = "aviation"

    run = train(frame, tmp_path)

    spec = run.artifact.scorer.spec
    assert spec.features[spec.names.index("merchant")].categories == (
        "fuel",
        "games",
        "grocery",
        "travel",
    )
    assert spec.count_novel(run.table.matrix[run.parts.test]).unseen_categories == 500


def test_diverging_run_leaves_no_artifact(tmp_path):
    with pytest.raises(DivergedError):
        train(
            FRAME,
            tmp_path,
            network={"layers": [8, 8]},
            learning={"optimizer": "sgd", "learning_rate": 1e30},
        )

    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize(
    ("changes", "error", "what"),
    [
        ({"split": {"delay_seconds": 1e9}}, SplitError, "no rows are left for train"),
        ({"split": {"validation": "holdout", "validation_share": 0.0}}, SplitError, "calibrated"),
        ({"learning": {"resampling": "smote", "resampled_share": 0.01}}, ConfigurationError, "0.0"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path, changes, error, what):
    with pytest.raises(error, match=what):
        train(FRAME, tmp_path, **changes)


def test_twenty_rows_are_enough_to_run(tmp_path):
    """No figure of such a run means anything, but it says so by its intervals."""
    frame = mixed_frame(20, seed=4, fraud_share=0.4)

    run = train(frame.drop(columns="payment_id").assign(payment_id=range(20)), tmp_path)

    assert run.evaluation.n_rows == 4


def test_without_a_file_the_run_is_on_simulated_transactions(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "N_SIMULATED", 4000)
    facts = {
        "output": str(tmp_path),
        "task": "anomaly",
        "autoencoder": {"epochs": 1, "members": 1, "hidden": [8], "bottleneck": 2},
    }

    run = pipeline.run(load_config(None, facts))

    assert run.artifact.name == "simulated"
    assert run.artifact.path.parent == tmp_path / "simulated"
    assert (run.table.source, len(run.table)) == ("simulated transactions", 4000)
    kinds = {feature.kind for feature in run.artifact.scorer.spec.features}
    assert kinds == {"numeric", "boolean", "categorical", "datetime"}
    assert pd.isna(run.table.matrix).any()
