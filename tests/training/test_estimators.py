"""Our networks as scikit-learn estimators: its own checks, and what we promise beyond them."""

import doctest

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_moons
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from model.errors import ConfigurationError
from training import estimators
from training.estimators import AnomalyDetector, FraudClassifier

NAN = float("nan")


@parametrize_with_checks(
    [
        FraudClassifier(members=2, n_bins=8, epochs=60, learning_rate=0.02),
        FraudClassifier(members=1),
        AnomalyDetector(members=2, epochs=5),
    ]
)
def test_checks_of_scikit_learn_pass(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def moons():
    """Return rows that no straight line divides, a tenth of them fraud."""
    X, y = make_moons(1200, noise=0.25, random_state=0)
    kept = (y == 0) | (np.cumsum(y) % 9 == 0)
    return X[kept], y[kept]


@pytest.fixture(scope="module")
def fitted(moons):
    """Return a classifier fitted on the older half."""
    X, y = moons
    return FraudClassifier(members=3, random_state=0).fit(X[::2], y[::2])


def test_classifier_bends_where_a_line_cannot(moons, fitted):
    X, y = moons
    line = LogisticRegression().fit(X[::2], y[::2])

    curved, straight = (e.predict_proba(X[1::2])[:, 1] for e in (fitted, line))

    assert roc_auc_score(y[1::2], curved) > roc_auc_score(y[1::2], straight)
    assert log_loss(y[1::2], curved) < log_loss(y[1::2], straight)


@pytest.mark.parametrize("members", [1, 3])
def test_balanced_learning_leaves_probabilities_true(members, moons):
    X, y = moons

    classifier = FraudClassifier(members=members, balance=1.0, random_state=0).fit(X, y)

    assert classifier.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), rel=0.2)


def test_answers_agree_with_each_other(moons, fitted):
    X, y = moons
    probability = fitted.predict_proba(X)

    np.testing.assert_allclose(probability.sum(axis=1), 1)
    odds = np.log(probability[:, 1] / probability[:, 0])
    np.testing.assert_allclose(fitted.decision_function(X), odds, atol=1e-9)
    assert (fitted.predict(X) == (probability[:, 1] > 0.5)).all()
    assert fitted.score(X, y) == np.mean(fitted.predict(X) == y)


def test_answer_does_not_depend_on_how_many_are_asked_for(moons, fitted):
    X, _ = moons
    alone = np.concatenate([fitted.decision_function(X[[row]]) for row in range(30)])

    np.testing.assert_allclose(alone, fitted.decision_function(X)[:30], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [FraudClassifier, AnomalyDetector])
def test_random_state_decides_all(kind, moons):
    X, y = moons
    X, y = X[:100], np.r_[y[:98], 0, 1]

    def parameters(state):
        scorer = kind(members=2, epochs=2, random_state=state).fit(X, y).scorer_
        part = scorer.fraud.mlp if scorer.fraud else scorer.anomalies.autoencoder
        return part.parameters.tolist()

    assert parameters(1) == parameters(1)
    assert parameters(1) != parameters(2)
    assert parameters(None) != parameters(None)
    state = np.random.RandomState(3)
    assert parameters(state) != parameters(state)


def test_classes_may_be_called_anything_and_the_last_is_fraud(moons):
    X, y = moons
    names = np.where(y == 1, "stolen", "fine")

    classifier = FraudClassifier(members=2, epochs=5, random_state=0).fit(X, names)

    assert classifier.classes_.tolist() == ["fine", "stolen"]
    assert set(classifier.predict(X)) <= {"fine", "stolen"}
    assert roc_auc_score(y, classifier.predict_proba(X)[:, 1]) > 0.8


def test_that_a_value_is_missing_may_tell(moons):
    X, y = moons
    holes = np.column_stack([X, np.where(y == 1, NAN, 0.0)])

    classifier = FraudClassifier(members=2, random_state=0).fit(holes, y)

    assert roc_auc_score(y, classifier.decision_function(holes)) > 0.99


@pytest.mark.parametrize("kind", [FraudClassifier, AnomalyDetector])
def test_missing_value_where_none_was_missing_counts_as_the_typical_one(kind, moons):
    X, y = moons
    estimator = kind(members=2, epochs=3, random_state=0).fit(X, y)
    holes, filled = X.copy(), X.copy()
    holes[5, 1], filled[5, 1] = NAN, np.median(X[:, 1])

    np.testing.assert_array_equal(
        estimator.decision_function(holes), estimator.decision_function(filled)
    )


def test_reasons_name_the_columns_of_the_frame(moons):
    X, y = moons
    frame = pd.DataFrame(X, columns=["pace", "amount"])

    classifier = FraudClassifier(members=2, epochs=20, random_state=0).fit(frame, y)

    reasons = classifier.explain(frame)
    assert len(reasons) == len(frame)
    assert {reason.feature for row in reasons for reason in row} == {"pace", "amount"}


def test_pipelines_validation_and_searches_work(moons):
    X, y = moons
    pipeline = make_pipeline(SimpleImputer(), FraudClassifier(members=2, epochs=3, random_state=0))

    scores = cross_val_score(pipeline, X, y, scoring="roc_auc", cv=2)
    search = GridSearchCV(pipeline, {"fraudclassifier__layers": [(2,), (8,)]}, cv=2).fit(X, y)

    assert scores.shape == (2,)
    assert search.best_params_["fraudclassifier__layers"] in [(2,), (8,)]


def test_detector_finds_what_breaks_the_pattern():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 600))
    usual = np.column_stack([a, b, a + b, a - b])
    odd = usual[:50] * [1, 1, -1, 1]  # each value usual by itself

    detector = AnomalyDetector(bottleneck=2, random_state=0).fit(usual[100:])

    told = -detector.score_samples(np.vstack([usual[:100], odd]))
    assert roc_auc_score(np.r_[np.zeros(100), np.ones(50)], told) > 0.9
    assert np.mean(detector.predict(usual[:100]) == -1) < 0.1
    assert detector.history_.epochs[-1]["loss"] < detector.history_.epochs[0]["loss"]


def test_contamination_is_the_share_called_outliers():
    X = np.random.default_rng(0).normal(size=(200, 3))

    labels = AnomalyDetector(epochs=2, contamination=0.1, random_state=0).fit_predict(X)

    assert (labels == -1).sum() == 20


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (FraudClassifier(members=0), "members"),
        (FraudClassifier(layers=(0,)), "layers"),
        (FraudClassifier(activation="loud"), "loud"),
        (FraudClassifier(balance=2), "class_weight"),
        (FraudClassifier(batch_size=0), "batch_size"),
        (FraudClassifier(epochs=-1), "epochs"),
        (AnomalyDetector(contamination=0.7), r"contamination is 'auto' or lies in \(0, 0.5\]"),
        (AnomalyDetector(contamination="some"), "got 'some'"),
        (AnomalyDetector(bottleneck=0), "bottleneck"),
    ],
)
def test_parameter_that_cannot_work_is_named(estimator, message, moons):
    with pytest.raises(ConfigurationError, match=message):
        estimator.fit(*moons)


def test_few_rows_and_few_of_a_class_are_enough():
    X = np.arange(12.0).reshape(6, 2)
    for members in (1, 8):
        classifier = FraudClassifier(members=members, epochs=1, random_state=0)
        probability = classifier.fit(X, [0, 0, 0, 0, 0, 1]).predict_proba(X)
        assert np.isfinite(probability).all()


def test_examples_of_the_docstrings_hold():
    assert doctest.testmod(estimators).failed == 0
