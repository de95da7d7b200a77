"""The scorer: one object, immutable, shared by threads, and the same as its parts."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from model import MLP, Autoencoder
from model.decision import APPROVE, Policy
from model.errors import ConfigurationError, TaskError
from model.scorer import AnomalyPart, FraudPart, Scorer
from tests.factories import tiny_rows, tiny_scorer
from tests.precision import rounding

REVIEWS_ANOMALIES = Policy(review=0.3, block=0.6, anomaly_review=0.9)


def parts_of(record):
    """Return the arrays of a record of scores, those of a record inside too."""
    for name, value in record._asdict().items():
        if isinstance(value, np.ndarray):
            yield name, value
        elif value is not None and not isinstance(value, float):
            yield from parts_of(value)


def test_scores_are_those_of_the_parts(scorer, rows):
    scores = scorer.score(rows)

    encoded = scorer.preprocessor.transform(rows)
    logits = scorer.fraud.mlp.logits(encoded)
    np.testing.assert_allclose(scores.logits, logits.mean(axis=0), **rounding(np.float32))
    np.testing.assert_allclose(scores.spread, logits.std(axis=0), **rounding(np.float32))
    probability = scorer.fraud.calibration.probability(scores.logits)
    np.testing.assert_array_equal(scores.probability, probability)
    np.testing.assert_array_equal(scores.score, scorer.fraud.scale.score(scores.logits))
    decision = scorer.fraud.policy.decide(probability, rows[:, 0])
    np.testing.assert_array_equal(scores.decision, decision)
    assert scores.anomaly is None


def test_arrays_have_one_value_a_row_and_their_types(scorer, rows):
    for name, array in parts_of(scorer.score(rows)):
        assert array.shape == (50,)
        assert array.dtype == (np.int64 if name in ("score", "decision") else np.float64)


def test_single_network_has_no_spread(rows):
    scorer = tiny_scorer(members=None, tasks="fraud")

    assert scorer.logits(rows).shape == (1, 50)
    assert not scorer.score(rows).spread.any()
    assert scorer.uncertainty(scorer.score(rows)) is None


def test_uncertainty_is_one_standard_deviation_of_the_members_either_way(scorer, rows):
    scores = scorer.score(rows)

    low, high = scorer.uncertainty(scores)

    members = scorer.logits(rows)
    for bound, sign in ((low, -1), (high, 1)):
        logits = members.mean(axis=0) + sign * members.std(axis=0)
        expected = scorer.fraud.calibration.probability(logits)
        np.testing.assert_allclose(bound, expected, rtol=1e-12)
    assert (high > low).all()


def test_uncertainty_holds_the_probability_where_members_agree(scorer, rows):
    scores = scorer.score(rows)
    agreeing = scores._replace(spread=np.full(len(rows), 1e-17))

    low, high = scorer.uncertainty(agreeing)

    assert (low <= scores.probability).all()
    assert (high >= scores.probability).all()


@pytest.mark.parametrize("n_rows", [0, 1, 17])
def test_rows_are_scored_alone_as_they_are_together(n_rows, rows):
    scorer = tiny_scorer(policy=REVIEWS_ANOMALIES)
    together = dict(parts_of(scorer.score(rows)))

    alone = dict(parts_of(scorer.score(rows[:n_rows])))

    assert alone.keys() == together.keys()
    for name, array in alone.items():
        np.testing.assert_allclose(array, together[name][:n_rows], **rounding(np.float32))
    assert len(scorer.reasons(rows[:n_rows])) == n_rows
    assert len(scorer.anomaly_reasons(rows[:n_rows], scorer.anomaly(rows[:n_rows]))) == n_rows


def test_anomalies_are_those_of_the_autoencoder(scorer, rows):
    anomalies = scorer.anomaly(rows)

    autoencoder, scale = scorer.anomalies.autoencoder, scorer.anomalies.scale
    errors = autoencoder.reconstruction_error(scorer.preprocessor.transform(rows, bins=False))
    np.testing.assert_allclose(anomalies.reconstruction_error, errors)
    np.testing.assert_allclose(anomalies.anomaly_score, scale.score(errors))
    assert anomalies.is_anomaly.tolist() == (errors > scale.threshold).tolist()
    assert anomalies.threshold == scale.threshold


def test_shares_of_the_error_are_never_negative_and_add_up_exactly(scorer, rows):
    anomalies = scorer.anomaly(rows)

    assert anomalies.shares.shape == (50, 6)
    assert (anomalies.shares >= 0).all()
    np.testing.assert_array_equal(anomalies.shares.sum(axis=1), anomalies.reconstruction_error)


def test_autoencoder_does_not_see_the_bins(scorer):
    assert scorer.anomalies.autoencoder.n_features == scorer.preprocessor.n_base
    assert scorer.fraud.mlp.layers[0].n_in == scorer.preprocessor.n_encoded


def test_policy_that_reviews_anomalies_gets_them(rows):
    scorer = tiny_scorer(policy=REVIEWS_ANOMALIES)

    scores = scorer.score(rows)

    np.testing.assert_array_equal(scores.anomaly.shares, scorer.anomaly(rows).shares)
    odd = scores.anomaly.anomaly_score >= 0.9
    assert odd.any()
    assert (scores.decision[odd] != APPROVE).all()


def test_cost_policy_reads_the_column_of_the_amount():
    scorer = tiny_scorer(policy=Policy("cost", friction=5.0, review_cost=1.0))
    rows = np.repeat(tiny_rows(1, np.random.default_rng(3))[0], 2, axis=0)
    rows[:, 0] = [1e-9, 1e9]

    assert scorer.amounts(rows).tolist() == [1e-9, 1e9]
    assert scorer.score(rows).decision[0] == APPROVE
    assert scorer.score(rows).decision[1] != APPROVE


@pytest.mark.parametrize("members", [None, 2])
def test_contributions_explain_the_served_logit(members, rows):
    scorer = tiny_scorer(members=members, tasks="fraud")

    total = scorer.contributions(rows).sum(axis=1)

    reference = scorer.score(scorer.spec.central_row()).logits
    np.testing.assert_allclose(total, scorer.score(rows).logits - reference, atol=1e-4)


def test_reasons_are_at_most_four_and_strongest_first(scorer, rows):
    scores = scorer.score(rows)

    every = scorer.reasons(rows, scores)

    assert every == scorer.reasons(rows)
    for decision, reasons in zip(scores.decision.tolist(), every, strict=True):
        contributions = [reason.contribution for reason in reasons]
        sizes = np.abs(contributions) if decision == APPROVE else np.array(contributions)
        assert len(reasons) <= 4
        assert (sizes > 0).all()
        assert (np.diff(sizes) <= 0).all()
    assert any(reason.contribution < 0 for reasons in every for reason in reasons)


def test_anomaly_reasons_are_relative_and_point_at_the_odd_feature(scorer, rows):
    rows[:, 1] = 50.0

    reasons = scorer.anomaly_reasons(rows, scorer.anomaly(rows))

    for row in reasons:
        contributions = [reason.contribution for reason in row]
        assert len(row) <= 4
        assert contributions == sorted(contributions, reverse=True)
        assert sum(contributions) <= 1 + 1e-12
    leading = [row[0].feature for row in reasons]
    assert leading.count("V1") > 40


def test_extreme_values_have_finite_scores(scorer, rows):
    rows[:, :3] = 1e300
    rows[25:, 1:3] = -1e300

    for name, array in [*parts_of(scorer.score(rows)), *parts_of(scorer.anomaly(rows))]:
        assert np.isfinite(array).all(), name


def test_rows_are_not_changed(scorer, rows):
    before = rows.copy()

    scorer.reasons(rows, scorer.score(rows))
    scorer.anomaly_reasons(rows, scorer.anomaly(rows))

    np.testing.assert_array_equal(rows, before)


def test_eight_threads_share_one_scorer(rng):
    scorer = tiny_scorer(policy=REVIEWS_ANOMALIES)
    tables = [tiny_rows(40, rng)[0] for _ in range(8)]
    expected = [(scorer.score(t).probability, scorer.reasons(t)) for t in tables]

    def repeatedly(number):
        for _ in range(10):
            probability = scorer.score(tables[number]).probability
            if not np.array_equal(probability, expected[number][0]):
                return False
        return scorer.reasons(tables[number]) == expected[number][1]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(repeatedly, range(8)))


def test_nothing_in_a_scorer_can_be_changed(scorer):
    with pytest.raises(FrozenInstanceError):
        scorer.name = "other"
    layers = [*scorer.fraud.mlp.layers, *scorer.anomalies.autoencoder.layers]
    arrays = [
        scorer.fraud.mlp.parameters,
        scorer.anomalies.autoencoder.parameters,
        scorer.anomalies.autoencoder.whitening,
        *scorer.preprocessor.to_arrays().values(),
        *(array for layer in layers for array in (layer.weights, layer.biases)),
    ]

    assert not any(array.flags.writeable for array in arrays)


def test_scorer_lists_its_tasks():
    assert tiny_scorer().tasks == {"fraud", "anomaly"}
    assert tiny_scorer(tasks="fraud").tasks == {"fraud"}
    assert tiny_scorer(tasks="anomaly").tasks == {"anomaly"}


@pytest.mark.parametrize("method", ["score", "logits", "contributions", "reasons"])
def test_scorer_without_a_classifier_says_so(method, rows):
    scorer = tiny_scorer(tasks="anomaly")

    with pytest.raises(TaskError) as caught:
        getattr(scorer, method)(rows)

    assert (caught.value.task, caught.value.name) == ("fraud", "tiny")
    assert scorer.anomaly(rows).is_anomaly.shape == (50,)


def test_scorer_without_an_autoencoder_says_so(rows):
    with pytest.raises(TaskError, match="trained without the task 'anomaly'"):
        tiny_scorer(tasks="fraud").anomaly(rows)


def other_fraud(scorer, **changes):
    """Return the scorer with its fraud part changed."""
    return replace(scorer, fraud=replace(scorer.fraud, **changes))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda s: replace(s, fraud=None, anomalies=None), "needs a classifier, an autoencoder"),
        (
            lambda s: replace(s, spec=replace(s.spec, features=s.spec.features[:-1])),
            "reads 6 features, the specification lists 5",
        ),
        (lambda s: other_fraud(s, mlp=MLP([3, 1])), "does not read the"),
        (
            lambda s: replace(s, anomalies=AnomalyPart(Autoencoder(3), s.anomalies.scale)),
            "the autoencoder reads 3 columns, not 15",
        ),
        (
            lambda s: replace(other_fraud(s, policy=REVIEWS_ANOMALIES), anomalies=None),
            "reviews anomalies, but there is no autoencoder",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(build, message, scorer):
    with pytest.raises(ConfigurationError, match=message):
        build(scorer)


def test_parts_that_fit_are_taken(scorer, rows):
    fraud = FraudPart(
        scorer.fraud.mlp, scorer.fraud.calibration.moved(0.2, 0.01), scorer.fraud.scale, Policy()
    )
    rebased = Scorer("rebased", scorer.spec, scorer.preprocessor, fraud, None)

    before, after = scorer.score(rows), rebased.score(rows)

    np.testing.assert_array_equal(after.score, before.score)
    assert (after.probability < before.probability).all()
