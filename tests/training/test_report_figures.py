"""What a report tells, against what the run's own rows say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score

from model import MLP
from model.decision import APPROVE, DECISIONS
from tests.training.pages import facts_of
from training.challenge import challenge
from training.diagnostics import dead_unit_share, unit_activity
from training.promote import PromotionError, promote
from training.ranking import Ranking
from training.report.health import health_facts, without_chance
from training.report.slices import slice_facts
from training.report.trade_offs import alert_facts, cost_facts


@pytest.fixture(scope="module")
def facts(page):
    """Return the figures of the report."""
    return facts_of(page)


def test_cost_of_the_decisions_is_what_each_row_costs(full, facts):
    seen, policy = full.judged, full.config.policy
    stands_for = np.where(seen.y == 1, 0.01 / seen.y.mean(), 0.99 / (1 - seen.y.mean()))

    total = 0.0
    for decision, y, amount, weight in zip(
        seen.decision, seen.y, seen.amounts, stands_for, strict=True
    ):
        cost = {
            "approve": y * (amount + policy.fee),
            "review": policy.review_cost,
            "block": (1 - y) * policy.friction,
        }
        total += weight * cost[DECISIONS[decision]]

    assert facts["evaluation"]["costs"]["policy"] == pytest.approx(10_000 * total / len(seen.y))


def test_cost_of_a_threshold_is_that_of_deciding_by_it(full):
    costs, seen, policy = cost_facts(full, full.judged), full.judged, full.config.policy
    weights = np.where(seen.y == 1, 0.01 / seen.y.mean(), 0.99 / (1 - seen.y.mean()))
    lost = weights * seen.y * (seen.amounts + policy.fee)

    for place in (0, 40, 90, 119):
        above = seen.probability >= costs["thresholds"][place]
        reviewing = np.where(above, weights * policy.review_cost, lost).mean()
        blocking = np.where(above, weights * (1 - seen.y) * policy.friction, lost).mean()
        assert costs["reviewing"][place] == pytest.approx(10_000 * reviewing)
        assert costs["blocking"][place] == pytest.approx(10_000 * blocking)
    assert costs["cheapest"]["reviewing"]["cost"] == min(costs["reviewing"])
    assert costs["approving"] == pytest.approx(10_000 * lost.mean())


def test_alerts_are_those_of_a_day_at_the_base_rate(full, facts):
    seen, told = full.judged, facts["evaluation"]["alerts"]
    is_alert = seen.decision != APPROVE
    recall, false_alarms = is_alert[seen.y == 1].mean(), is_alert[seen.y == 0].mean()

    assert recall > false_alarms > 0
    assert told["is_daily"]
    assert told["transactions"] == 5000
    alerts = 5000 * (0.01 * recall + 0.99 * false_alarms)
    assert told["policy"] == {"alerts": pytest.approx(alerts), "recall": pytest.approx(recall)}
    assert all(np.diff([point["alerts"] for point in told["needed"]]) >= 0)


def test_without_a_days_traffic_alerts_are_counted_in_ten_thousand(full, facts):
    config = replace(full.config, policy=replace(full.config.policy, transactions_per_day=None))

    told = alert_facts(replace(full, config=config), facts["evaluation"])

    assert (told["is_daily"], told["transactions"]) == (False, 10_000)


def test_calibration_is_told_before_and_after(full, facts):
    seen, told = full.judged, facts["evaluation"]["calibration"]
    weights = np.where(seen.y == 1, 0.01 / seen.y.mean(), 0.99 / (1 - seen.y.mean()))

    raw = 1 / (1 + np.exp(-seen.logits))

    assert told["predicted"] == pytest.approx(np.average(seen.probability, weights=weights))
    assert told["before"]["predicted"] == pytest.approx(np.average(raw, weights=weights))
    assert told["observed"] == told["before"]["observed"] == pytest.approx(0.01)
    for side in (told, told["before"]):
        assert sum(b["rows"] for b in side["bins"]) == len(seen.y)
        distances = [b["weight"] * abs(b["predicted"] - b["observed"]) for b in side["bins"]]
        assert side["error"] == pytest.approx(sum(distances) / weights.sum())


def test_slices_are_shares_of_their_rows_with_wilsons_interval(full, facts):
    seen, alerted = full.judged, full.judged.decision != APPROVE
    by = {group["by"]: group["slices"] for group in facts["slices"]}

    assert list(by) == ["Amount", "channel", "time"]
    for slices in by.values():
        assert sum(part["rows"] for part in slices) == len(seen.y)
        assert sum(part["frauds"] for part in slices) == seen.y.sum()
    spec = full.artifact.scorer.spec
    codes = full.table.matrix[seen.rows, spec.names.index("channel")]
    names = spec.features[spec.names.index("channel")].categories
    for part in by["channel"]:
        for rate, label in (("recall", 1), ("false_positive_rate", 0)):
            inside = (codes == names.index(part["label"])) & (seen.y == label)
            test = binomtest(int(alerted[inside].sum()), int(inside.sum()))
            interval = test.proportion_ci(method="wilson")
            assert part[rate]["value"] == alerted[inside].mean() > 0
            found = (part[rate]["low"], part[rate]["high"])
            assert found == pytest.approx(tuple(interval), abs=1e-4)


def test_rows_that_nothing_divides_have_no_slices(full):
    seen = full.judged
    first = {
        name: getattr(seen, name)[:5]
        for name in ("rows", "y", "logits", "probability", "score", "decision", "amounts")
    }

    groups = slice_facts(full, replace(seen, **first), [])

    assert groups == []


def test_contributions_are_means_over_the_rows_of_a_class(full, facts):
    seen, scorer = full.judged, full.artifact.scorer
    contributions = scorer.contributions(full.table.matrix[seen.rows])
    features = {feature["name"]: feature for feature in facts["features"]["features"]}

    for column, name in enumerate(scorer.spec.names):
        for group, label in (("legitimate", 0), ("fraud", 1)):
            mean = contributions[seen.y == label, column].mean()
            assert features[name][group] == pytest.approx(mean)
    weights = [feature["weight"] for feature in features.values()]
    assert weights == sorted(weights, reverse=True)


def test_worst_mistakes_are_the_dearest_frauds_and_the_surest_alarms(full, facts):
    seen, told = full.judged, facts["mistakes"]
    is_alert = seen.decision != APPROVE
    missed = (seen.y == 1) & ~is_alert

    assert told["missed"]["total"] == missed.sum() > 0
    amounts = [mistake["amount"] for mistake in told["missed"]["worst"]]
    assert amounts == sorted(seen.amounts[missed].tolist(), reverse=True)[: len(amounts)]
    for kind, label in (("missed", 1), ("false_alarms", 0)):
        for mistake in told[kind]["worst"]:
            assert full.table.labels[mistake["row"] - 1] == label
            assert mistake["reasons"]


def test_parts_of_the_reconstruction_error_add_up(full, facts):
    told = facts["anomaly"]["features"]
    rows = full.parts.test[full.table.labels[full.parts.test] == 1]
    errors = full.artifact.scorer.anomaly(full.table.matrix[rows]).reconstruction_error

    parts = [feature["fraud"] for feature in told["features"]]

    assert len(parts) == len(full.artifact.scorer.spec.features)
    assert sum(parts) == pytest.approx(told["means"]["fraud"]) == errors.mean()


def test_units_that_no_row_activates_are_dead(rng):
    network = MLP([3, 4, 1], rng=rng, drop_probability=0.5)
    network.layers[0].biases = np.array([-1e6, 0.0, 0.0, 1e6])
    X = rng.normal(size=(200, 3))

    first, last = unit_activity(network, X)

    assert (first[0], last) == (0.0, None)
    assert 0 < first[1] < first[3] == 1.0
    assert dead_unit_share(network, X) == 0.25


def test_gradients_of_a_report_drop_nothing(rng):
    network = MLP([3, 4, 1], rng=rng, dtype=np.float32, drop_probability=0.5)
    X, y = rng.normal(size=(50, 3)), rng.integers(0, 2, 50)
    still = without_chance(network)

    losses = {still.loss_and_gradient(X, y) for _ in range(3)}

    assert len(losses) == 1


def test_health_is_told_of_every_layer_and_is_the_same_every_time(full, facts):
    layers = health_facts(full)

    assert layers == facts["health"]
    assert [layer["layer"] for layer in layers] == [1, 2, 1, 2, 3, 4]
    assert all(layer["gradient_norm"] > 0 for layer in layers)


def test_ranking_is_that_of_scikit_learn_on_every_draw(rng):
    y, scores = rng.integers(0, 2, 80), rng.integers(0, 12, 80).astype(float)
    ranking = Ranking(y, scores)

    for _ in range(20):
        weights = rng.multinomial(80, np.full(80, 1 / 80))
        expected = average_precision_score(y, scores, sample_weight=weights)
        assert ranking.average_precision(weights) == pytest.approx(expected, abs=1e-12)


def test_new_model_is_compared_with_the_champion_or_it_is_said_why_not(full, tmp_path):
    path = tmp_path / full.artifact.path.name
    path.write_bytes(full.artifact.path.read_bytes())
    run = replace(full, artifact=replace(full.artifact, path=path))

    assert challenge(run) is None
    promote(tmp_path, run.artifact.version)
    told = challenge(run)
    timeless = challenge(replace(run, table=replace(run.table, times=None)))
    path.write_bytes(b"damaged")
    damaged = challenge(run)

    assert told.champion == run.artifact.version
    assert told.compared().challenger == told.compared().champion
    assert "without a time column" in timeless.refusal
    assert "cannot be read" in damaged.refusal
    with pytest.raises(PromotionError, match="cannot be read"):
        damaged.compared()
