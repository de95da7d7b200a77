"""Metrics, against scikit-learn and by hand; their intervals; and what money they mean."""

import json

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from model.decision import APPROVE, BLOCK, REVIEW
from training import evaluate as evaluation_module
from training.evaluate import METRICS, base_rate_weights, confusion_matrix, evaluate


def scored_rows(n_rows=400, fraud_share=0.2, seed=0):
    """Return labels, probabilities with ties, decisions and amounts."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n_rows) < fraud_share).astype(np.int64)
    probability = np.clip(0.25 * y + rng.normal(0.4, 0.2, n_rows), 0, 1).round(2)
    decision = np.digitize(probability, [0.5, 0.7])
    return y, probability, decision, rng.lognormal(3, 1, n_rows)


def evaluated(y, probability, decision, amounts=None, base_rate=None, seed=0):
    """Evaluate rows."""
    rng = np.random.default_rng(seed)
    arrays = (np.asarray(part) for part in (y, probability, decision))
    return evaluate(*arrays, amounts, base_rate, rng)


def values_of(view):
    """Return the values of a view without their intervals."""
    return {name: figure.value for name, figure in view.figures.items()}


@pytest.fixture
def few_draws(monkeypatch):
    """Shorten the bootstrap where the intervals are not the point."""
    monkeypatch.setattr(evaluation_module, "RESAMPLES", 10)


@pytest.fixture(scope="module")
def plain():
    """Return scored rows and their evaluation at two prevalences."""
    rows = scored_rows()
    return rows, evaluated(*rows, base_rate=0.01)


def test_every_metric_is_that_of_scikit_learn(plain):
    (y, probability, decision, _), evaluation = plain
    alert = decision != APPROVE

    found = values_of(evaluation.as_table)

    expected = {
        "accuracy": sklearn_metrics.accuracy_score(y, alert),
        "always_legitimate_accuracy": sklearn_metrics.accuracy_score(y, np.zeros(len(y))),
        "precision": sklearn_metrics.precision_score(y, alert),
        "recall": sklearn_metrics.recall_score(y, alert),
        "f1": sklearn_metrics.f1_score(y, alert),
        "roc_auc": sklearn_metrics.roc_auc_score(y, probability),
        "average_precision": sklearn_metrics.average_precision_score(y, probability),
        "brier_score": np.mean((probability - y) ** 2),
    }
    for name, value in expected.items():
        assert found.pop(name) == pytest.approx(value), name
    assert set(found) == {"recall_at_0.1%_false_positives"}


def recall_by_brute_force(y, probability, limit=0.001):
    """Return the highest recall of all thresholds within a false-positive rate."""
    candidates = [np.inf, *np.unique(probability)]
    found = [
        (probability[y == 1] >= threshold).mean()
        for threshold in candidates
        if (probability[y == 0] >= threshold).mean() <= limit
    ]
    return max(found)


@pytest.mark.parametrize("seed", range(5))
def test_recall_at_few_false_positives_is_found_by_brute_force(seed):
    y, probability, decision, _ = scored_rows(5000, 0.1, seed)
    metric = METRICS["recall_at_0.1%_false_positives"]

    found = metric(y, probability, decision != APPROVE, np.ones(len(y)))

    assert found == pytest.approx(recall_by_brute_force(y, probability))


def test_recall_at_few_false_positives_sees_points_on_a_straight_stretch():
    """Every probability comes once with a fraud and once without: the curve is one line."""
    y = np.tile([1, 0], 4000)
    probability = np.repeat(np.linspace(1, 0, 4000), 2)

    found = METRICS["recall_at_0.1%_false_positives"](y, probability, y == 1, np.ones(8000))

    assert found == pytest.approx(4 / 4000)


@pytest.mark.usefixtures("few_draws")
def test_weighting_to_a_base_rate_is_literally_repeating_rows():
    y, probability, decision, amounts = scored_rows(300, 0.3)
    repeats = np.where(y == 1, 1, 7)
    base_rate = y.sum() / repeats.sum()

    weighted = evaluated(y, probability, decision, amounts, base_rate)
    repeated = evaluated(*(np.repeat(part, repeats) for part in (y, probability, decision)))

    assert weighted.at_base_rate.prevalence == pytest.approx(base_rate)
    assert values_of(weighted.at_base_rate) == pytest.approx(values_of(repeated.as_table))
    assert weighted.as_table.prevalence == pytest.approx(y.mean())


def test_weights_make_fraud_as_common_as_stated():
    y = np.array([1, 1, 0, 0, 0, 0])

    weights = base_rate_weights(y, 0.01)

    assert weights[y == 1].sum() / weights.sum() == pytest.approx(0.01)
    assert weights.sum() == pytest.approx(6)
    np.testing.assert_array_equal(base_rate_weights(y, None), np.ones(6))


def test_what_does_not_depend_on_prevalence_is_the_same_in_both_views(plain):
    _, evaluation = plain

    for name in ("recall", "roc_auc", "recall_at_0.1%_false_positives"):
        one, other = evaluation.as_table.figures[name], evaluation.at_base_rate.figures[name]
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
    for name in ("precision", "f1", "average_precision", "always_legitimate_accuracy"):
        assert (
            evaluation.as_table.figures[name].value != evaluation.at_base_rate.figures[name].value
        )


def test_intervals_lie_around_their_values(plain):
    _, evaluation = plain

    for name, figure in evaluation.as_table.figures.items():
        assert figure.low <= figure.value <= figure.high, name
        assert figure.low < figure.high, name


def test_interval_of_a_share_is_as_wide_as_theory_says(plain):
    (y, probability, decision, _), evaluation = plain
    alert = decision != APPROVE
    samples = {
        "accuracy": alert == (y == 1),
        "recall": alert[y == 1],
        "precision": (y == 1)[alert],
        "brier_score": (probability - y) ** 2,
    }

    for name, sample in samples.items():
        figure = evaluation.as_table.figures[name]
        deviation = sample.std() / np.sqrt(len(sample))
        assert figure.high - figure.low == pytest.approx(2 * 1.96 * deviation, rel=0.25), name


def test_intervals_cover_the_truth_as_often_as_they_promise(monkeypatch):
    names = ("accuracy", "precision", "recall")
    few = {name: METRICS[name] for name in names}
    monkeypatch.setattr(evaluation_module, "METRICS", few)
    y, probability, decision, _ = scored_rows(400_000, seed=1)
    alert = decision != APPROVE
    truth = {name: METRICS[name](y, probability, alert, np.ones(len(y))) for name in names}
    covered = dict.fromkeys(names, 0)

    for start in range(0, 200 * 400, 400):
        rows = slice(start, start + 400)
        figures = evaluated(y[rows], probability[rows], decision[rows]).as_table.figures
        for name in names:
            covered[name] += figures[name].low <= truth[name] <= figures[name].high

    assert all(0.89 * 200 <= count <= 0.99 * 200 for count in covered.values()), covered


@pytest.mark.usefixtures("few_draws")
def test_evaluation_depends_on_the_generator_alone():
    rows = scored_rows(100)

    assert evaluated(*rows, seed=1) == evaluated(*rows, seed=1)
    assert evaluated(*rows, seed=1) != evaluated(*rows, seed=2)


def test_confusion_matrices_count_alerts_and_blocks(plain):
    (y, _, decision, _), evaluation = plain

    for matrix, predicted in (
        (evaluation.confusion, decision >= REVIEW),
        (evaluation.block_confusion, decision == BLOCK),
    ):
        assert matrix == sklearn_metrics.confusion_matrix(y, predicted).tolist()
    assert (evaluation.n_rows, evaluation.n_frauds) == (400, y.sum())


@pytest.mark.parametrize("labels", [[0, 0], [1, 1], [0, 1]])
@pytest.mark.parametrize("predicted", [[0, 0], [1, 1], [1, 0]])
def test_confusion_matrix_always_has_four_counts(labels, predicted):
    (tn, fp), (fn, tp) = confusion_matrix(np.array(labels), np.array(predicted))

    pairs = list(zip(labels, predicted, strict=True))
    assert [tn, fp, fn, tp] == [pairs.count(pair) for pair in ((0, 0), (0, 1), (1, 0), (1, 1))]


def test_percentages_are_those_of_the_matrix(plain):
    _, evaluation = plain
    (tn, fp), (fn, tp) = evaluation.confusion
    figures = values_of(evaluation.as_table)

    assert figures["precision"] == tp / (tp + fp)
    assert figures["recall"] == tp / (tp + fn)
    assert figures["f1"] == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert figures["accuracy"] == (tp + tn) / 400


@pytest.mark.usefixtures("few_draws")
def test_impact_counts_frauds_and_money():
    y = np.array([1, 1, 1, 0, 0, 0])
    decision = np.array([BLOCK, REVIEW, APPROVE, APPROVE, REVIEW, BLOCK])
    amounts = np.array([100.0, 0.0, 30.0, 1.0, 2.0, 4.0])

    impact = evaluated(y, np.linspace(0, 1, 6), decision, amounts).impact

    assert (impact.frauds_caught, impact.frauds_missed) == (2, 1)
    assert (impact.false_alarms, impact.false_blocks) == (2, 1)
    assert (impact.amount_caught, impact.amount_missed) == (100.0, 30.0)


@pytest.mark.usefixtures("few_draws")
def test_without_an_amount_there_is_no_money():
    impact = evaluated([1, 0], [0.5, 0.5], [BLOCK, BLOCK]).impact

    assert (impact.amount_caught, impact.amount_missed) == (None, None)


@pytest.mark.parametrize("base_rate", [None, 0.01])
@pytest.mark.parametrize("decided", [APPROVE, BLOCK])
@pytest.mark.parametrize("labels", [[0], [1], [0] * 5, [1] * 5])
def test_rows_of_one_class_leave_figures_undefined(labels, decided, base_rate):
    decision = np.full(len(labels), decided)

    evaluation = evaluated(labels, [0.5] * len(labels), decision, base_rate=base_rate)

    figures = evaluation.as_table.figures
    undefined = ["roc_auc", "average_precision", "recall_at_0.1%_false_positives"]
    undefined += ["recall"] if labels[0] == 0 else []
    undefined += ["precision"] if decided == APPROVE else []
    for name in undefined:
        assert (figures[name].value, figures[name].low, figures[name].high) == (None, None, None)
    assert figures["accuracy"].value is not None
    assert evaluation.at_base_rate is None
    json.dumps(evaluation.to_dict(), allow_nan=False)


@pytest.mark.usefixtures("few_draws")
def test_no_alert_leaves_precision_undefined_and_recall_zero():
    evaluation = evaluated([0, 1] * 10, [0.5] * 20, [APPROVE] * 20)

    assert values_of(evaluation.as_table)["precision"] is None
    assert values_of(evaluation.as_table)["recall"] == 0
    assert values_of(evaluation.as_table)["roc_auc"] == 0.5


def test_a_single_fraud_has_intervals_where_some_draws_miss_it():
    y = np.array([1] + [0] * 30)

    evaluation = evaluated(y, np.linspace(1, 0, 31), np.where(y == 1, BLOCK, APPROVE))

    assert evaluation.as_table.figures["recall"].value == 1
    assert evaluation.as_table.figures["recall"].low == 1


def test_evaluation_is_json(plain):
    _, evaluation = plain

    facts = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))

    assert facts["as_table"]["figures"]["recall"]["value"] == pytest.approx(
        values_of(evaluation.as_table)["recall"]
    )


@pytest.mark.parametrize("base_rate", [0.001, 0.0017, 0.01, 0.3])
@pytest.mark.parametrize("thousands", [1, 3, 7, 10])
def test_weights_do_not_round_a_row_over_the_limit(thousands, base_rate):
    """One legitimate row in a thousand scores above all frauds: that much is allowed."""
    y = np.r_[np.zeros(thousands, int), np.ones(100, int), np.zeros(999 * thousands, int)]
    probability = np.linspace(1, 0, len(y))

    found = METRICS["recall_at_0.1%_false_positives"](
        y, probability, y == 1, base_rate_weights(y, base_rate)
    )

    assert found == 1
