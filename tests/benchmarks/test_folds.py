"""The Handbook's folds and its card precision, on transactions small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.folds import CARD, FEATURES, KNOWN_WEEK, LABEL, TIME, card_precision, fold


def transactions(*rows):
    """Return (day, card, label) as a frame; day 0 is the first of the training week."""
    day, card, label = zip(*rows, strict=True)
    moments = pd.Timestamp("2018-06-20 12:00") + pd.to_timedelta(day, unit="D")
    frame = pd.DataFrame({TIME: moments, CARD: card, LABEL: label})
    return frame.assign(**{name: 0.0 for name in FEATURES})


def test_a_fold_trains_on_seven_days_and_tests_on_the_third_week():
    frame = transactions(*((day, 1, 0) for day in range(-3, 25)))

    part = fold(frame, "2018-06-20")

    assert len(part.train) == len(part.test) == 7
    assert part.train[TIME].min() == pd.Timestamp("2018-06-20 12:00")
    assert part.test[TIME].min() == pd.Timestamp("2018-07-04 12:00")


def test_cards_leave_the_test_once_their_fraud_is_known():
    frame = transactions(
        *((14 + k, card, 0) for k in range(7) for card in (1, 2, 3, 4)),
        (3, 1, 1),  # in the training week
        (9, 2, 1),  # known from test day 3 on: 9 = 6 + 3
        (14, 3, 1),  # too late to be known on any test day
    )

    left = fold(frame, "2018-06-20").test.groupby(CARD).size()

    assert left.to_dict() == {2: 3, 3: 8, 4: 7}


def test_a_known_fold_with_other_counts_is_refused():
    with pytest.raises(ValueError, match="67240"):
        fold(transactions((0, 1, 0)), KNOWN_WEEK)


def test_card_precision_counts_cards_by_their_highest_score_and_drops_those_found():
    frame = transactions(
        *((14, card, label) for card, label in ((1, 0), (1, 1), (2, 0), (3, 1))),
        *((15, card, label) for card, label in ((1, 1), (2, 0), (3, 0), (4, 1))),
    )
    score = np.array([0.9, 0.1, 0.5, 0.4, 1.0, 0.3, 0.2, 0.1])

    # day 14: cards 1 and 2, of which 1 is compromised; day 15, without 1: cards 2 and 3, neither is
    assert card_precision(frame, score, alerts=2) == pytest.approx((1 / 2 + 0) / 2)
