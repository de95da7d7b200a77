"""What an exploration finds, what it does not find, and what it advises."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.training.commands import parsed
from tests.training.explorations import START, column, explored, payments
from training.data import load
from training.explore.drift import drift

N_ROWS = 1200


def advice(facts, topic):
    """Return the advice on a topic, None where there is none."""
    return next((own for own in facts["advice"] if own["topic"] == topic), None)


@pytest.mark.parametrize(
    "leak",
    [
        lambda own, rng: own["fraud"] * 5 + rng.random(len(own)),
        lambda own, rng: np.where(own["fraud"], "closed", rng.choice(["open", "new"], len(own))),
        lambda own, rng: (
            (own["fraud"] * rng.choice([-1, 1], len(own))) * (2 + rng.random(len(own)))
        ),
        lambda own, rng: np.where(own["fraud"] == 1, rng.random(len(own)), np.nan),
    ],
    ids=["number", "category", "both ends", "only frauds have it"],
)
def test_column_that_alone_tells_the_classes_apart_is_suspect(leak):
    frame = payments()
    frame["late"] = leak(frame, np.random.default_rng(1))

    facts = explored(frame)

    assert [own["column"] for own in facts["suspects"]] == ["late"]
    assert facts["suspects"][0]["alone"] > 0.99
    assert advice(facts, "Suspect column")["option"] == "--drop late"
    assert "late" in facts["remarks"][0]
    assert "late" in parsed(facts["command"]).data.drop


def test_reference_that_a_third_of_frauds_have_and_no_one_else_is_suspect():
    frame = payments()
    is_closed = (frame["fraud"] == 1) & (np.arange(N_ROWS) % 3 == 0)
    frame["case_file"] = pd.Series([f"C{n:05d}" for n in range(N_ROWS)]).where(is_closed)

    (found,) = explored(frame)["suspects"]

    assert (found["column"], found["value"], found["alone"]) == ("case_file", "any value", None)
    assert found["frauds"] == is_closed.sum()
    assert found["of_frauds"] == pytest.approx(is_closed.sum() / frame["fraud"].sum())


def test_strong_but_honest_column_is_not_suspect():
    frame = payments()
    frame["strong"] = np.random.default_rng(2).normal(size=N_ROWS) + 2.2 * frame["fraud"]

    facts = explored(frame)

    assert column(facts, "strong")["effect"]["alone"] > 0.9
    assert facts["suspects"] == []


def test_frauds_from_other_times_are_told():
    frame = payments().sort_values("fraud", ignore_index=True)
    frame["when"] = pd.date_range(START, periods=N_ROWS, freq="1h")

    facts = explored(frame)

    assert facts["suspects"][0]["role"] == "time"
    assert "when" in advice(facts, "Frauds come from other times")["text"]
    assert "when" not in parsed(facts["command"]).data.drop


def test_table_without_late_frauds_is_divided_at_random():
    frame = payments()
    frame.loc[N_ROWS * 3 // 4 :, "fraud"] = 0

    facts = explored(frame)

    assert "No fraud lies" in advice(facts, "No fraud to test on")["text"]
    assert parsed(facts["command"]).split.how == "random"


@pytest.mark.parametrize(
    "changed",
    [
        lambda own, is_late, _rng: own["noise"] + is_late,
        lambda own, is_late, rng: own["channel"].where(
            ~is_late | (rng.random(len(own)) < 0.4), "app"
        ),
        lambda own, is_late, rng: own["noise"].mask(is_late & (rng.random(len(own)) < 0.5)),
        lambda own, is_late, rng: np.where(is_late & (rng.random(len(own)) < 0.6), 7.0, 0.0),
    ],
    ids=["shift", "new category", "goes missing", "leaves its usual value"],
)
def test_drift_is_found(changed):
    frame = payments()
    is_late = pd.Series(np.arange(N_ROWS) >= 0.7 * N_ROWS)
    frame["moving"] = changed(frame, is_late, np.random.default_rng(3))

    facts = explored(frame)

    assert facts["drifting"] == ["moving"]
    assert column(facts, "moving")["drift"]["verdict"] == "major"
    assert "moving" in advice(facts, "Drift")["text"]


@pytest.mark.parametrize("n_rows", [150, 600, 6000])
def test_drift_is_not_found_where_there_is_none(n_rows):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({f"v{n}": rng.normal(size=n_rows) for n in range(15)})
        frame["shop"] = rng.choice(list("abcdefghijkl"), n_rows)

        facts = explored(frame)

        assert facts["drifting"] == []
        assert column(facts, "v0")["drift"] is not None


def test_index_and_its_critical_value_are_those_of_their_definitions():
    rng = np.random.default_rng(0)
    first, last = rng.multinomial(400, np.full(10, 0.1)), rng.multinomial(300, np.full(10, 0.1))
    p, q = (first + 0.5) / 405, (last + 0.5) / 305

    found = drift(first, last, n_columns=5)

    assert found.psi == pytest.approx(((p - q) * np.log(p / q)).sum())
    assert found.critical == pytest.approx((1 / 400 + 1 / 300) * stats.chi2.ppf(1 - 0.01 / 5, 9))


def test_critical_value_holds_its_promise():
    rng = np.random.default_rng(0)
    draws = [
        drift(*(rng.multinomial(n, np.full(10, 0.1)) for n in (250, 250)), n_columns=1)
        for _ in range(2000)
    ]

    alarms = np.mean([own.psi > own.critical for own in draws])

    assert 0.002 < alarms < 0.02


def test_change_needs_to_be_large_enough_to_matter():
    first, last = np.full(10, 100_000), np.full(10, 100_000)
    last[0] += 8000

    found = drift(first, last, n_columns=1)

    assert found.psi > found.critical
    assert found.verdict == "stable"


def test_what_nothing_can_be_learned_from_is_dropped():
    frame = payments().assign(
        fixed=1.0, one_shop="x", row_number=np.arange(N_ROWS), days=np.arange(N_ROWS) // 40
    )

    facts = explored(frame)

    assert facts["data"]["constant"] == ["fixed", "one_shop"]
    assert facts["clocks"] == ["row_number", "days"]
    config = parsed(facts["command"])
    assert set(config.data.drop) == {"fixed", "one_shop", "row_number", "days"}
    assert config.data.id == "payment_ref"


def test_keys_and_codes_among_numbers_are_told_by_name():
    rng = np.random.default_rng(0)
    frame = payments().assign(
        customer_id=rng.integers(0, 400, N_ROWS),
        terminal_id=rng.integers(0, 90, N_ROWS),
        mcc=rng.integers(5000, 5200, N_ROWS),
    )

    facts = explored(frame)

    assert advice(facts, "Keys of customers")["option"] == "--drop customer_id"
    assert advice(facts, "Keys that look like numbers")["option"] == "--drop terminal_id"
    assert "mcc" in advice(facts, "Codes that look like numbers")["text"]
    assert parsed(facts["command"]).data.drop == ("customer_id", "terminal_id")
    declared = explored(frame, categorical=["mcc"])
    assert column(declared, "mcc")["kind"] == "categorical"
    assert advice(declared, "Codes that look like numbers") is None


def test_two_columns_of_one_content_are_told():
    frame = payments().assign(cents=lambda own: own["amount"] * 100)

    facts = explored(frame)

    assert facts["correlations"]["pairs"][0]["correlation"] == pytest.approx(1)
    assert advice(facts, "Two columns, one content")["option"] == "--drop cents"


def test_enriched_table_is_asked_for_its_base_rate():
    rich = explored(payments(fraud_share=0.3))
    poor = explored(payments(3000, fraud_share=0.006))

    assert advice(rich, "State the base rate")["option"] == "--base-rate SHARE"
    assert advice(poor, "State the base rate") is None


def test_command_that_is_advised_can_be_run(tmp_path):
    path = tmp_path / "with space.csv"
    payments().assign(fixed=1, leak=lambda own: own["fraud"]).to_csv(path, index=False)
    frame = pd.read_csv(path)

    facts = explored(frame, path=str(path))
    table = load(parsed(facts["command"]).data)

    assert not {"leak", "fixed", "payment_ref"} & set(table.spec.names)
    assert len(table) == N_ROWS


def test_table_without_labels_is_explored_without_classes():
    facts = explored(payments().drop(columns="fraud"))

    assert facts["classes"] is None
    assert facts["suspects"] == []
    assert all(own["effect"] is None for own in facts["columns"])
    assert "is_new" in advice(facts, "Name the label")["text"]
    assert parsed(facts["command"]).task == "anomaly"
    assert set(column(facts, "amount")["histogram"]["shares"]) == {"all"}


def test_named_columns_win_over_usual_names():
    frame = payments().assign(time=1.0, total=2.0, chargeback=lambda own: 1 - own["fraud"])

    facts = explored(frame, label="chargeback", time="when", amount="total", drop=["fraud"])

    assert facts["classes"]["fraud"] == (frame["fraud"] == 0).sum()
    assert (facts["data"]["time"], facts["data"]["amount"]) == ("when", "total")
    assert "fraud" not in facts["ranking"]
    assert parsed(facts["command"]).data.label == "chargeback"


def test_columns_of_types_that_are_no_cells_are_told_by_name():
    frame = payments().assign(raw=[b"\xff\xfe"] * 1200, parts=[[1]] * 1200, nothing=None)

    facts = explored(frame)

    assert list(facts["data"]["left_out"]) == ["raw", "parts"]
    assert facts["data"]["empty"] == ["nothing"]
    advised = " ".join(entry["text"] for entry in facts["advice"])
    assert "raw holds values of the type binary" in advised
    assert "parts holds values of the type list" in advised
