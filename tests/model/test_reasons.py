"""Reasons: contributions that add up, and codes that people and programs can rely on."""

import numpy as np
import pytest

from model import MLP
from model.features import Feature, FeatureSpec
from model.first_layer import CHUNK_ROWS
from model.layers import rescale_through
from model.preprocessing import Preprocessor
from model.reasons import Attribution, Reason, describe, grouping, top_reasons
from tests.factories import TINY_FEATURES, tiny_rows

NAN = float("nan")
NETWORKS = {
    "one layer": {"hidden": []},
    "one hidden layer": {"hidden": [8]},
    "deep": {"hidden": [8, 8, 8, 4]},
    "tanh": {"hidden": [8, 4], "activation": "tanh"},
    "sigmoid": {"hidden": [8, 4], "activation": "sigmoid"},
    "prelu": {"hidden": [8, 4], "activation": "prelu"},
    "residual, batch norm and dropout": {
        "hidden": [8, 8, 8],
        "residual": True,
        "batch_norm": True,
        "drop_probability": 0.2,
    },
}


@pytest.fixture
def table(rng):
    """Return a measured specification, rows and labels."""
    rows, labels = tiny_rows(300, rng)
    return FeatureSpec(TINY_FEATURES).measured(rows, labels == 0), rows, labels


def trained(table, rng, *, hidden, activation="relu", members=None, n_bins=4, **options):
    """Return a float64 network trained on encoded rows, and the preprocessing."""
    spec, rows, labels = table
    preprocessor = Preprocessor.fit(spec, rows, labels=labels, n_bins=n_bins)
    names = [*[activation] * len(hidden), "sigmoid"]
    sizes = [preprocessor.n_encoded, *hidden, 1]
    network = MLP(sizes, names, members=members, rng=rng, **options)
    network.fit(preprocessor.transform(rows), labels, epochs=10, learning_rate=0.1, rng=rng)
    return network, preprocessor


def encoded_unrounded(preprocessor, rows):
    """Return the encoded rows in float64."""
    return preprocessor.encoded(rows, preprocessor.complete(rows), dtype=np.float64)


@pytest.mark.parametrize("n_bins", [0, 4])
@pytest.mark.parametrize("members", [None, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_contributions_add_up_to_the_difference_of_the_logits(name, members, n_bins, table, rng):
    spec, rows, _ = table
    network, preprocessor = trained(table, rng, members=members, n_bins=n_bins, **NETWORKS[name])
    attribution = Attribution(network, preprocessor, spec)

    contributions = attribution.contributions(rows)

    logits, reference = (
        np.atleast_2d(network.logits(encoded_unrounded(preprocessor, matrix))).mean(axis=0)
        for matrix in (rows, spec.central_row())
    )
    np.testing.assert_allclose(contributions.sum(axis=1), logits - reference, atol=1e-11)
    assert np.abs(logits - reference).max() > 0.05


@pytest.mark.parametrize("n_bins", [0, 4])
def test_contributions_of_one_layer_are_weight_times_difference(n_bins, table, rng):
    spec, rows, _ = table
    network, preprocessor = trained(table, rng, hidden=[], n_bins=n_bins)
    reference = encoded_unrounded(preprocessor, spec.central_row())
    difference = encoded_unrounded(preprocessor, rows) - reference

    contributions = Attribution(network, preprocessor, spec).contributions(rows)

    per_column = difference * network.layers[0].weights[:, 0]
    for index in range(6):
        expected = per_column[:, preprocessor.sources == index].sum(axis=1)
        np.testing.assert_allclose(contributions[:, index], expected, atol=1e-12)


@pytest.mark.parametrize("members", [None, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_contributions_are_the_multipliers_of_encoded_columns_by_feature(name, members, table, rng):
    """One pass back to the columns themselves, as the paper has it, gives the same."""
    spec, rows, _ = table
    network, preprocessor = trained(table, rng, members=members, **NETWORKS[name])
    columns, reference = (encoded_unrounded(preprocessor, m) for m in (rows, spec.central_row()))
    multipliers = network.output.weights.mT
    if network.hidden:
        multipliers = rescale_through(network.hidden, columns, reference, multipliers)
    if members:
        multipliers = multipliers.mean(axis=0)
    expected = (multipliers * (columns - reference)) @ grouping(preprocessor.sources, 6)

    contributions = Attribution(network, preprocessor, spec).contributions(rows)

    np.testing.assert_allclose(contributions, expected, atol=1e-11)


def test_large_tables_are_explained_in_chunks_as_small_ones_are_at_once(table, rng):
    spec, rows, _ = table
    network, preprocessor = trained(table, rng, hidden=[8], members=3)
    attribution = Attribution(network, preprocessor, spec)
    many = np.tile(rows, (CHUNK_ROWS // len(rows) + 2, 1))

    contributions = attribution.contributions(many)

    assert attribution.contributions(rows[:0]).shape == (0, 6)
    for part in (slice(len(rows)), slice(-len(rows), None)):
        alone = [attribution.contributions(row[None])[0] for row in many[part]]
        np.testing.assert_allclose(contributions[part], alone, atol=1e-12)


def test_typical_transaction_has_no_contributions(table, rng):
    spec = table[0]
    network, preprocessor = trained(table, rng, hidden=[8])

    assert not Attribution(network, preprocessor, spec).contributions(spec.central_row()).any()


def test_feature_that_equals_the_typical_value_contributes_nothing(table, rng):
    spec = table[0]
    network, preprocessor = trained(table, rng, hidden=[8, 4])
    changed = spec.central_row()
    changed[0, 1] = 3.0

    contributions = Attribution(network, preprocessor, spec).contributions(changed)[0]

    assert contributions[1] != 0
    assert np.delete(contributions, 1).tolist() == [0] * 5


@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-9, 0.0])
def test_quotient_of_tiny_differences_is_not_noise(size, rng):
    """Where reference and input nearly coincide the multiplier is the derivative."""
    network, Z = MLP([3, 6, 1], ["tanh", "sigmoid"], rng=rng), rng.normal(size=(4, 6))

    multipliers = network.multipliers(Z + size, Z)

    derivative = (1 - np.tanh(Z) ** 2) * network.layers[1].weights[:, 0]
    np.testing.assert_allclose(multipliers, derivative, atol=20 * size + 1e-6)


def test_rescale_rule_by_hand():
    # logit = 2 relu(z); from z = −2 to z = 6 it goes from 0 to 12
    network = MLP([1, 1, 1])
    network.layers[1].weights = 2.0

    multiplier = network.multipliers(np.array([[6.0]]), np.array([[-2.0]]))

    assert multiplier.tolist() == [[1.5]]


def test_grouping_adds_encoded_columns_up_by_raw_feature():
    sources = np.array([0, 1, 1, 0, 2])

    assert (np.array([[1.0, 2, 3, 4, 5]]) @ grouping(sources, 3)).tolist() == [[5, 5, 5]]


def test_strongest_four_are_returned_in_order():
    spec = FeatureSpec(tuple(Feature(name) for name in "abcdef"))
    contributions = np.array([[0.1, -5.0, 0.3, 0.2, 0.5, 0.4], [-1.0, -2, -3, -4, 0, 0.01]])

    first, second = top_reasons(spec, np.zeros((2, 6)), contributions, contributions)

    assert [reason.feature for reason in first] == ["e", "f", "c", "d"]
    assert [reason.contribution for reason in first] == [0.5, 0.4, 0.3, 0.2]
    assert [reason.feature for reason in second] == ["f"]


def test_ranking_may_differ_from_the_contribution():
    spec = FeatureSpec((Feature("a"), Feature("b")))
    contributions = np.array([[1.0, -2.0]])

    reasons = top_reasons(spec, np.zeros((1, 2)), contributions, np.abs(contributions))[0]

    assert [(reason.feature, reason.contribution) for reason in reasons] == [("b", -2), ("a", 1)]


NUMBER = Feature("V14", typical=(-1.4, 1.2), central=0.1)
FLAG = Feature("is_new_device", "boolean", nullable=True, central=0.0)
CATEGORY = Feature("merchant_category", "categorical", categories=("grocery", "travel"), central=0)
MOMENT = Feature("transaction_time", "datetime")


@pytest.mark.parametrize(
    ("feature", "cell", "code", "value", "typical"),
    [
        (NUMBER, -8.2, "V14_LOW", -8.2, (-1.4, 1.2)),
        (NUMBER, 8.2, "V14_HIGH", 8.2, (-1.4, 1.2)),
        (NUMBER, 0.0, "V14_LOW", 0.0, (-1.4, 1.2)),
        (NUMBER, 1.2, "V14_HIGH", 1.2, (-1.4, 1.2)),
        (NUMBER, 0.1, "V14_COMBINATION", 0.1, (-1.4, 1.2)),
        (NUMBER, NAN, "V14_MISSING", None, (-1.4, 1.2)),
        (Feature("V1"), 5.0, "V1_HIGH", 5.0, None),
        (FLAG, 1.0, "IS_NEW_DEVICE_TRUE", True, False),
        (FLAG, 0.0, "IS_NEW_DEVICE_FALSE", False, False),
        (FLAG, NAN, "IS_NEW_DEVICE_MISSING", None, False),
        (CATEGORY, 0.0, "MERCHANT_CATEGORY_COMBINATION", "grocery", "grocery"),
        (CATEGORY, 1.0, "MERCHANT_CATEGORY_UNUSUAL", "travel", "grocery"),
        (CATEGORY, 2.0, "MERCHANT_CATEGORY_OTHER", "other", "grocery"),
        (CATEGORY, NAN, "MERCHANT_CATEGORY_MISSING", None, "grocery"),
        (MOMENT, 1772368200.0, "TRANSACTION_TIME_CALENDAR", "2026-03-01T12:30:00+00:00", None),
        (MOMENT, -62135600000.0, "TRANSACTION_TIME_CALENDAR", "0001-01-01T00:00:00+00:00", None),
        (MOMENT, 253402300800.0, "TRANSACTION_TIME_CALENDAR", "9999-12-31T23:59:59+00:00", None),
        (MOMENT, NAN, "TRANSACTION_TIME_MISSING", None, None),
        (Feature("amount (€) "), 5.0, "AMOUNT_HIGH", 5.0, None),
    ],
)
def test_code_says_what_is_special_about_the_value(feature, cell, code, value, typical):
    reason = describe(feature, cell, np.float64(0.5))

    assert reason == Reason(code, feature.name, value, typical, 0.5)
    assert type(reason.contribution) is float


def test_no_reason_of_the_classifier_is_a_value_that_adds_nothing(table, rng):
    """What equals the typical transaction contributes nothing, so no reason is called typical."""
    spec, rows, _ = table
    network, preprocessor = trained(table, rng, hidden=[8, 4], members=3)
    contributions = Attribution(network, preprocessor, spec).contributions(rows)

    reasons = top_reasons(spec, rows, contributions, contributions)

    codes = [reason.code for row in reasons for reason in row]
    assert len(codes) > 300
    assert not [code for code in codes if code.endswith(("TYPICAL", "COMBINATION"))]


def test_reason_is_told_as_json_types():
    reason = describe(NUMBER, -8.2, 2.31)

    assert reason.to_dict() == {
        "code": "V14_LOW",
        "feature": "V14",
        "value": -8.2,
        "typical": (-1.4, 1.2),
        "contribution": 2.31,
    }
