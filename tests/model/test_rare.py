"""Texts that training saw too rarely: known again, told from others, and scored as unseen ones."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import ConfigurationError
from model.features import Feature, FeatureSpec, Novelty
from model.rare import RareTexts, encode
from tests.factories import TINY_FEATURES, tiny_rows, tiny_scorer


@given(st.sets(st.text()), st.text())
def test_texts_are_known_again(texts, other):
    found = RareTexts(encode(texts))

    assert all(text in found for text in texts)
    assert (other in found) == (other in texts)  # 1 in 4e9 by chance


def test_few_of_many_unseen_texts_are_taken_for_rare_ones():
    found = RareTexts(encode(f"shop {n}" for n in range(100_000)))

    assert len(found) == 100_000
    assert sum(f"store {n}" in found for n in range(100_000)) < 30  # 2.3 are to be expected


@pytest.mark.parametrize("encoded", ["?", "AAA=", "AQAAAAAAAAA=", "AAAAAAAAAAA="])
def test_what_is_no_set_of_checksums_is_refused(encoded):
    features = (Feature("code", "categorical", categories=("a",), rare=encoded),)

    with pytest.raises(ConfigurationError, match="not a feature specification"):
        FeatureSpec.from_dict(FeatureSpec(features).to_dict())


def test_rare_and_unseen_categories_are_counted_apart():
    feature = replace(TINY_FEATURES[4], rare=encode(["kiosk", "market"]))
    spec = FeatureSpec((*TINY_FEATURES[:4], feature))
    row = {"Amount": 1.0, "V1": 0.0}

    matrix = spec.matrix_from_rows(
        [{**row, "merchant_category": text} for text in ("games", "kiosk", "market", "new")]
    )

    assert matrix[:, 4].tolist() == [2, feature.pooled, feature.pooled, feature.other]
    novelty = spec.count_novel(matrix)
    assert novelty == Novelty(0, unseen_categories=1, rare_categories=2)
    assert novelty.per_column.tolist() == [0, 0, 0, 0, 1]
    assert novelty.rare_per_column.tolist() == [0, 0, 0, 0, 2]


@pytest.mark.parametrize("n_bins", [0, 4])
def test_rare_categories_score_as_unseen_ones_do(n_bins, rng):
    feature = replace(TINY_FEATURES[4], rare=encode(["kiosk"]))
    features = (*TINY_FEATURES[:4], feature, TINY_FEATURES[5])
    scorer = tiny_scorer(features=features, n_bins=n_bins)
    unseen = tiny_rows(40, rng)[0]
    unseen[:, 4] = feature.other
    rare = unseen.copy()
    rare[:, 4] = feature.pooled

    np.testing.assert_array_equal(scorer.logits(rare), scorer.logits(unseen))
    np.testing.assert_array_equal(scorer.contributions(rare), scorer.contributions(unseen))
    np.testing.assert_array_equal(
        scorer.anomaly(rare).reconstruction_error, scorer.anomaly(unseen).reconstruction_error
    )
    np.testing.assert_array_equal(
        scorer.preprocessor.transform(rare), scorer.preprocessor.transform(unseen)
    )
    assert {r.code for r in scorer.reasons(rare)[0]} == {r.code for r in scorer.reasons(unseen)[0]}
