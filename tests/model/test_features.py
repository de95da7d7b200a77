"""The feature specification, and what it measures of training rows."""

import json
from dataclasses import replace

import numpy as np
import pytest

from model.cells import epoch_seconds
from model.errors import ConfigurationError
from model.features import Feature, FeatureSpec, Novelty
from tests.factories import TINY_FEATURES, tiny_rows

NAN = float("nan")


@pytest.fixture
def spec():
    """Return the small specification, measured."""
    rows, labels = tiny_rows(400, np.random.default_rng(0))
    return FeatureSpec(TINY_FEATURES, "payment_id", "Amount").measured(rows, labels == 0)


def test_names_and_id_keys_are_in_order(spec):
    assert spec.names[:2] == ("Amount", "V1")
    assert spec.id_keys == ("transaction_id", "payment_id")
    assert FeatureSpec(TINY_FEATURES).id_keys == ("transaction_id",)
    assert FeatureSpec(TINY_FEATURES, "transaction_id").id_keys == ("transaction_id",)


def test_amount_is_found_by_its_column(spec):
    assert spec.amount_column == 0
    assert FeatureSpec(TINY_FEATURES).amount_column is None


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: FeatureSpec(()), "at least one feature"),
        (lambda: FeatureSpec((Feature("a"), Feature("a"))), r"must be unique .* \['a'\]"),
        (lambda: FeatureSpec((Feature("transaction_id"),)), r"\['transaction_id'\]"),
        (lambda: FeatureSpec((Feature("transactions"),)), r"\['transactions'\]"),
        (lambda: FeatureSpec((Feature("payment"),), id_column="payment"), r"\['payment'\]"),
        (lambda: FeatureSpec((Feature("a"),), amount="b"), "the amount 'b' is not a feature"),
    ],
)
def test_specification_that_cannot_work_is_refused(build, message):
    with pytest.raises(ConfigurationError, match=message):
        build()


def test_measures_are_the_quantiles_of_legitimate_rows_and_the_range_of_all():
    cells = np.array([*range(101), NAN, 500.0])
    legitimate = cells[:-1]

    feature = Feature("x").measured(cells, legitimate)

    assert feature.seen == (0.0, 500.0)
    assert feature.typical == (5.0, 95.0)
    assert feature.central == 50.0


def test_measured_values_have_six_significant_digits():
    feature = Feature("x").measured(np.array([1 / 3, 2e7 / 3]), np.array([1 / 3, 1 / 3]))

    assert feature.central == 0.333333
    assert feature.seen == (1 / 3, 2e7 / 3)


@pytest.mark.parametrize("kind", ["categorical", "boolean"])
def test_central_category_is_the_most_frequent(kind):
    feature = Feature("x", kind, categories=("a", "b", "c"))

    cells = np.array([0.0, 1, 1, NAN, 1, 0])

    assert feature.measured(cells, cells).central == 1.0


def test_column_without_legitimate_values_is_left_unmeasured():
    feature = Feature("x")

    assert feature.measured(np.array([1.0, NAN]), np.array([NAN])) == feature


def test_novel_values_are_counted_and_not_refused(spec):
    rows = np.repeat(spec.central_row(), 5, axis=0)
    rows[0, 1] = 1e6
    rows[1, 0] = -1e6
    rows[2, 4] = spec.features[4].other
    rows[3, 2] = NAN
    rows[4, 4] = NAN

    assert spec.count_novel(rows) == Novelty(out_of_range=2, unseen_categories=1)
    assert spec.count_novel(rows[3:]) == Novelty(0, 0)


def test_nothing_is_novel_before_ranges_are_measured():
    spec = FeatureSpec((Feature("a"), Feature("b", "boolean")))

    assert spec.count_novel(np.array([[1e300, 1.0]])) == Novelty(0, 0)


def test_central_row_is_the_typical_transaction(spec):
    assert spec.central_row().shape == (1, 6)
    assert spec.central_row()[0].tolist() == [feature.central for feature in spec.features]


def test_specification_survives_json(spec):
    bounded = replace(spec.features[1], minimum=-5.0, maximum=1e6, unit="EUR")
    spec = replace(spec, features=(spec.features[0], bounded, *spec.features[2:]))

    assert FeatureSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize(
    "spoil",
    [
        lambda facts: facts.pop("features"),
        lambda facts: facts.pop("amount"),
        lambda facts: facts.update(features=5),
        lambda facts: facts.update(features=[None]),
        lambda facts: facts.update(features=[]),
        lambda facts: facts["features"][0].pop("central"),
        lambda facts: facts["features"][0].update(colour="red"),
        lambda facts: facts["features"][0].update(seen=1.0),
        lambda facts: facts["features"][0].update(name="V1"),
        lambda facts: facts.update(amount="V9"),
    ],
)
def test_facts_that_are_no_specification_are_refused(spoil, spec):
    facts = json.loads(json.dumps(spec.to_dict()))
    spoil(facts)

    with pytest.raises(ConfigurationError):
        FeatureSpec.from_dict(facts)


def test_facts_must_be_an_object():
    with pytest.raises(ConfigurationError, match="not a feature specification"):
        FeatureSpec.from_dict(None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00", 0.0),
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1969-12-31T23:59:59", -1.0),
        ("2026-03-01T12:30:00.250000", 1772368200.25),
        ("2026-03-01", 1772323200.0),
        ("20260301T123000", 1772368200.0),
        ("2026-03-01 12:30", 1772368200.0),
    ],
)
def test_date_times_are_seconds_since_1970_utc(text, seconds):
    assert epoch_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "now", "2026-13-01", "12:30", "1772368200", "01/03/2026"])
def test_other_texts_are_no_date_times(text):
    with pytest.raises(ValueError, match=r".+"):
        epoch_seconds(text)
