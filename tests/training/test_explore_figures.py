"""The figures of an exploration, held against pandas, SciPy and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from tests.training.explorations import column, explored, payments
from training.explore.sample import priorities

FRAME = payments()
FRAUD, LEGITIMATE = FRAME[FRAME["fraud"] == 1], FRAME[FRAME["fraud"] == 0]
NUMBERS = ["amount", "signal", "noise", "gaps", "count"]


@pytest.fixture(scope="module")
def facts():
    """Return the facts of the payments."""
    return explored(FRAME)


def test_classes_are_counted_with_wilson_s_interval(facts):
    n, k, z = len(FRAME), len(FRAUD), stats.norm.ppf(0.975)
    centre = (k / n + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(k / n * (1 - k / n) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)

    share = facts["classes"]["fraud_share"]

    assert (facts["classes"]["fraud"], facts["classes"]["legitimate"]) == (k, n - k)
    assert share == pytest.approx({"value": k / n, "low": centre - half, "high": centre + half})


def test_kinds_and_parts_of_columns_are_found(facts):
    kinds = {own["name"]: own["kind"] for own in facts["columns"]}

    assert kinds["payment_ref"] == "identifier"
    assert kinds["when"] == "datetime"
    assert kinds["channel"] == kinds["city"] == "categorical"
    assert kinds["is_new"] == "boolean"
    found = {part: facts["data"][part] for part in ("label", "time", "amount")}
    assert found == {"label": "fraud", "time": "when", "amount": "amount"}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_those_of_pandas(facts, name):
    own, values = column(facts, name), FRAME[name]

    assert own["missing"] == values.isna().sum()
    assert own["distinct"] == values.nunique()
    figures = own["numbers"]
    assert figures["mean"] == pytest.approx(values.mean(), rel=1e-12)
    assert figures["median"] == values.median()
    assert (figures["low"], figures["high"]) == (values.min(), values.max())
    assert (figures["zeros"], figures["negatives"]) == ((values == 0).sum(), (values < 0).sum())
    for group, part in (("fraud", FRAUD), ("legitimate", LEGITIMATE)):
        by_class = figures["by_class"][group]
        assert by_class["rows"] == part[name].count()
        assert by_class["mean"] == pytest.approx(part[name].mean(), rel=1e-12)
        assert by_class["deviation"] == pytest.approx(part[name].std(), rel=1e-12)


@pytest.mark.parametrize("name", NUMBERS)
def test_effect_sizes_are_those_of_their_definitions(facts, name):
    frauds, others = FRAUD[name].dropna(), LEGITIMATE[name].dropna()
    difference = (frauds.mean() - others.mean()) / np.sqrt((frauds.var() + others.var()) / 2)

    effect = column(facts, name)["effect"]

    assert effect["difference"] == pytest.approx(difference, rel=1e-9)
    distance = stats.ks_2samp(frauds, others, method="asymp").statistic
    assert effect["kolmogorov_smirnov"] == pytest.approx(distance, abs=2e-3)


def test_kolmogorov_smirnov_is_exact_where_each_value_has_its_bin(facts):
    expected = stats.ks_2samp(FRAUD["count"], LEGITIMATE["count"], method="asymp").statistic

    effect = column(facts, "count")["effect"]

    assert effect["kolmogorov_smirnov"] == pytest.approx(expected, abs=1e-12)


def test_cramer_s_v_is_bias_corrected():
    frame = payments(400).assign(channel=lambda own: own["channel"].where(own["fraud"] == 0, "atm"))
    table = pd.crosstab(frame["channel"], frame["fraud"])
    n, (r, c) = len(frame), table.shape
    phi = stats.chi2_contingency(table, correction=False).statistic / n
    phi = max(phi - (r - 1) * (c - 1) / (n - 1), 0)
    r, c = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)

    effect = column(explored(frame), "channel")["effect"]

    assert effect["cramers_v"] == pytest.approx(np.sqrt(phi / (min(r, c) - 1)), rel=1e-9)


def test_a_column_alone_is_judged_on_the_half_it_was_not_learned_from(facts):
    labels = FRAME["fraud"]
    half = (priorities(0, 0, len(FRAME)) * 2**20).astype(int) % 2
    cities = FRAME["city"].fillna("(missing)")
    areas = []
    for learned, judged in ((0, 1), (1, 0)):
        own = labels[half == learned].groupby(cities[half == learned])
        average = labels[half == learned].mean()
        rates = (own.sum() + 10 * average) / (own.size() + 10)
        scores = cities[half == judged].map(rates)
        areas.append(roc_auc_score(labels[half == judged], scores))

    assert column(facts, "city")["effect"]["alone"] == pytest.approx(np.mean(areas), rel=1e-12)


def test_alone_tells_signal_from_noise_in_any_shape():
    both_ends = np.where(FRAME["fraud"], 3, 1) * FRAME["noise"]
    frame = FRAME.assign(both_ends=both_ends, falling=-FRAME["signal"])

    found = {own["name"]: own["effect"] for own in explored(frame)["columns"] if own["effect"]}

    assert found["noise"]["alone"] == pytest.approx(0.5, abs=0.06)
    assert found["payment_ref"]["alone"] == 0.5
    assert found["signal"]["alone"] == pytest.approx(
        roc_auc_score(FRAME["fraud"], FRAME["signal"]), abs=0.03
    )
    assert found["falling"]["alone"] == pytest.approx(found["signal"]["alone"])
    assert found["both_ends"]["alone"] > 0.68
    assert abs(found["both_ends"]["difference"]) < 0.2


def test_correlations_are_spearman_s(facts):
    found = facts["correlations"]
    numbers = FRAME[found["names"]].astype(float)

    expected = numbers.corr(method="spearman").to_numpy()

    assert np.array(found["matrix"]) == pytest.approx(expected, abs=1e-12)
    assert found["n_strong"] == 0


def test_categories_are_counted_with_their_missing_values(facts):
    rows = {row["name"]: row for row in column(facts, "city")["categories"]["rows"]}
    counts = FRAME["city"].fillna("(missing)").value_counts()
    frauds = FRAUD["city"].fillna("(missing)").value_counts()

    assert {name: row["rows"] for name, row in rows.items()} == counts.to_dict()
    assert {name: row["frauds"] for name, row in rows.items()} == frauds.to_dict()
    assert rows["Ulm"]["fraud_share"]["value"] == frauds["Ulm"] / counts["Ulm"]


def test_rare_categories_are_one_row_and_none_is_lost():
    names = np.repeat([f"shop {number}" for number in range(40)], 30)
    frame = payments(1200).assign(shop=np.random.default_rng(1).permutation(names))

    rows = column(explored(frame), "shop")["categories"]["rows"]

    assert rows[-1]["name"] == "28 others"
    assert sum(row["rows"] for row in rows) == 1200
    assert sum(row["frauds"] for row in rows) == frame["fraud"].sum()


def test_amounts_are_those_of_each_class(facts):
    for group, part in zip(facts["amount"]["groups"], (LEGITIMATE, FRAUD), strict=True):
        amounts = part["amount"]
        assert group["total"] == pytest.approx(amounts.sum())
        assert group["median"] == amounts.median()
        assert group["high"] == pytest.approx(amounts.quantile(0.95))
        assert group["largest"] == amounts.max()
    share = FRAUD["amount"].sum() / FRAME["amount"].sum()
    assert facts["amount"]["fraud_total_share"] == pytest.approx(share)
    bands = facts["amount"]["bands"]
    assert sum(band["rows"] for band in bands) == len(FRAME)
    for band in bands[:-1]:
        inside = FRAME["amount"].ge(band["from"]) & FRAME["amount"].lt(band["to"])
        assert (band["rows"], band["frauds"]) == (inside.sum(), FRAME["fraud"][inside].sum())


def test_times_are_those_of_pandas(facts):
    time = facts["time"]
    hours = FRAUD["when"].dt.hour.value_counts(normalize=True)
    weekdays = LEGITIMATE["when"].dt.day_of_week.value_counts(normalize=True)

    assert time["first"] == "2026-03-02 00:00"
    assert sum(time["rows"]) == len(FRAME)
    assert time["hours"]["shares"]["fraud"] == pytest.approx(
        hours.reindex(range(24), fill_value=0).tolist()
    )
    assert time["weekdays"]["shares"]["legitimate"] == pytest.approx(weekdays.sort_index().tolist())


def test_first_and_last_fifth_are_compared(facts):
    fifth = len(FRAME) // 5

    change = facts["change"]

    assert change["first"]["rows"] == change["last"]["rows"] == fifth
    assert change["first"]["frauds"] == FRAME["fraud"][:fifth].sum()
    assert change["last"]["frauds"] == FRAME["fraud"][-fifth:].sum()


@pytest.mark.parametrize("name", ["amount", "signal", "noise", "gaps"])
def test_outermost_bars_hold_what_lies_beyond(facts, name):
    histogram = column(facts, name)["histogram"]
    edges = np.array(histogram["edges"])

    inside = FRAUD[name].dropna().clip(edges[0], np.nextafter(edges[-1], 0))

    assert inside.max() < FRAUD[name].max() or inside.min() > FRAUD[name].min()
    expected = np.histogram(inside, edges)[0] / len(inside)
    assert histogram["shares"]["fraud"] == pytest.approx(expected.tolist())


def test_few_values_have_a_bar_each(facts):
    values = column(facts, "count")["histogram"]
    expected = FRAUD["count"].value_counts(normalize=True).reindex(values["values"], fill_value=0)
    assert values["shares"]["fraud"] == pytest.approx(expected.tolist())


def test_repeated_and_contradictory_rows_are_counted():
    frame = payments(300).drop(columns="payment_ref")
    copies = frame.iloc[[3, 3, 8, 20]]
    flipped = frame.iloc[[30, 31]].assign(fraud=lambda own: 1 - own["fraud"])
    table = pd.concat([frame, copies, flipped], ignore_index=True)

    found = explored(table)["repeats"]

    assert found["rows"] == table.duplicated().sum() == 4
    assert found["frauds"] == table[table.duplicated()]["fraud"].sum()
    assert found["alike"] == 6
    assert found["contradictory"] == 4
