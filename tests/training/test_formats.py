"""Numbers as readers see them."""

import pytest

from training.report.formats import count, formatted, money, number, percent, ratio


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50.0 %"),
        (0.0275, "2.75 %"),
        (0.001727, "0.173 %"),
        (0.000_000_1, "0.000010 %"),
        (1e-12, "0 %"),
        (0.99955, "99.955 %"),
        (0.999, "99.90 %"),
        (1 - 1e-12, "100 %"),
    ],
)
def test_percentages_keep_the_digits_that_matter(share, text):
    assert percent(share).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (count, 13_728, "13,728"),
        (count, 20.65, "20.6"),
        (count, 149.4, "149"),
        (number, 0, "0"),
        (number, 0.98412, "0.9841"),
        (number, 0.000_62, "0.00062"),
        (number, 12_345.6, "12,346"),
        (money, 5469.444, "5,469.44"),
        (money, 39_688.2, "39,688"),
        (ratio, 577.9, "578:1"),
    ],
)
def test_numbers_are_written_as_tables_need_them(form, value, text):
    assert form(value) == text


def test_figure_that_is_not_defined_is_a_dash():
    assert formatted(None, "percent") == "–"
