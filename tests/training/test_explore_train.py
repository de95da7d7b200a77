"""The training command that an exploration prints: it can be run, and it follows the advice."""

import shlex
from dataclasses import replace
from functools import cache
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from model.errors import ConfigurationError, FraudscoreError
from tests.training.commands import parsed
from tests.training.explorations import DEGENERATE, START, column, explored, payments
from tests.training.field_tables import FIELD_TABLES
from training import evaluate, pipeline
from training.column_lists import list_text, names_in
from training.config import AutoencoderConfig
from training.config_file import load_config
from training.data import from_frame, load
from training.explore import exploration_facts, survey
from training.explore.console import print_exploration

PLACEHOLDERS = ("COLUMN", "SHARE")
N_ROWS = 400


def explored_file(path, **data):
    """Return the facts of a file."""
    config = load_config(None, {"data": {"path": str(path), **data}})
    return exploration_facts(survey(config.data, config.seed), config)


def train_briefly(config, folder):
    """Run all of a configuration, with networks that learn hardly anything."""
    small = replace(
        config,
        output=str(folder / "artifacts"),
        network=replace(config.network, layers=(4,), n_bins=4),
        learning=replace(config.learning, epochs=1),
        autoencoder=AutoencoderConfig(
            hidden=(4,), bottleneck=2, members=1, epochs=1, steps_per_epoch=2
        ),
    )
    return pipeline.run(small)


def timed(frame):
    """Return a table with its rows at regular times."""
    return frame.assign(when=pd.date_range(START, periods=len(frame), freq="37min"))


def late_frauds():
    """Return payments whose frauds all lie in the last tenth."""
    return timed(payments(N_ROWS).sort_values("fraud", ignore_index=True))


def early_frauds():
    """Return payments whose frauds all lie in the first tenth."""
    return timed(payments(N_ROWS).sort_values("fraud", ascending=False, ignore_index=True))


TABLES = {
    **DEGENERATE,
    **{name: make() for name, make in FIELD_TABLES.items()},
    "usual": payments(N_ROWS),
    "frauds last": late_frauds(),
    "frauds first": early_frauds(),
    "two frauds": payments(N_ROWS).assign(fraud=lambda own: (own.index % 150 == 70).astype(int)),
    "few frauds": payments(N_ROWS).assign(fraud=lambda own: (own.index % 20 == 3).astype(int)),
    "a leak": payments(N_ROWS).assign(leak=lambda own: own["fraud"], fixed=1),
    "the amount leaks": payments(N_ROWS).assign(amount=lambda own: own["fraud"] * 5.0),
    "names with commas": payments(N_ROWS).assign(**{"a, b": 1.0, " c": 2.0, '"d"': 3.0, "-e": 4.0}),
    "without labels": payments(N_ROWS).drop(columns="fraud"),
    "a label by another name": payments(N_ROWS).rename(columns={"fraud": "chargeback"}),
    "words as labels": payments(N_ROWS).assign(
        fraud=lambda own: np.where(own["fraud"], "Yes", "No")
    ),
    "states": payments(N_ROWS)
    .assign(state=lambda own: np.where(own["fraud"], "fraud", "paid"))
    .drop(columns="fraud"),
    "a label of three": payments(N_ROWS)
    .assign(label=lambda own: np.where(own["fraud"], "chargeback", own["channel"]))
    .drop(columns="fraud"),
    "labels that are missing": payments(N_ROWS).assign(
        fraud=lambda own: own["fraud"].astype(object).where(own.index != 7)
    ),
    "decimal commas": payments(N_ROWS).assign(
        amount=lambda own: [f"{value:.2f}".replace(".", ",") for value in own["amount"]]
    ),
    "commas that may be either": payments(N_ROWS)
    .assign(amount=[f"{1 + number % 9},{number % 1000:03d}" for number in range(N_ROWS)])
    .drop(columns=["signal", "noise", "gaps"]),  # their points would tell
    "junk among numbers": payments(N_ROWS).assign(
        noise=lambda own: own["noise"].astype(object).where(own.index % 50 > 0, "broken")
    ),
    "junk among amounts": payments(N_ROWS).assign(
        amount=lambda own: own["amount"].astype(object).where(own.index % 50 > 0, "broken")
    ),
    "an unknown date": payments(N_ROWS).assign(
        when=lambda own: own["when"].astype(str).where(own.index != 3, "unsure")
    ),
    "times in some unit": payments(N_ROWS)
    .assign(when=1.5)
    .assign(timestamp=lambda own: own.index * 1.7),
    "refunds": payments(N_ROWS).assign(amount=lambda own: -own["amount"]),
}


@pytest.fixture(scope="module")
def explored_table(tmp_path_factory):
    """Return what gives the file of a table, and what one exploration found out of it."""
    folder = tmp_path_factory.mktemp("some tables")

    @cache
    def explored_once(name):
        path = folder / f"{name}.csv"
        TABLES[name].to_csv(path, index=False)
        return path, explored_file(path)

    return explored_once


@pytest.fixture(params=TABLES.keys())
def table(request, explored_table):
    """Return the file of every table, and what an exploration found out of it."""
    return explored_table(request.param)


def test_command_trains_or_the_reason_is_that_of_training(table, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate, "RESAMPLES", 2)
    path, facts = table

    if facts["command"] is not None:
        config = parsed(facts["command"])
        assert config.data.path == str(path)
        result = train_briefly(config, tmp_path)
        assert result.artifact.path.is_file()
    else:
        assert facts["refusal"]
        for more in ({}, {"split": {"how": "random"}}, {"task": "anomaly"}):
            with pytest.raises(FraudscoreError):
                train_briefly(load_config(None, {"data": {"path": str(path)}, **more}), tmp_path)


def test_command_has_every_option_that_is_advised(table):
    _, facts = table
    for own in facts["advice"]:
        if facts["command"] is None or any(word in own["option"] for word in PLACEHOLDERS):
            continue
        config = parsed(facts["command"])
        words = shlex.split(own["option"])
        for name, value in zip(words[::2], words[1::2], strict=True):
            if name == "--drop":
                assert set(names_in(value)) <= set(config.data.drop)
            else:
                said = {
                    "--label": config.data.label,
                    "--positive": config.data.positive,
                    "--id": config.data.id,
                    "--task": config.task,
                    "--split": config.split.how,
                    "--memory": config.memory,
                }
                assert said[name] == value


def test_advice_names_no_option_that_the_command_contradicts(table):
    _, facts = table
    if facts["command"] is None:
        return
    config = parsed(facts["command"])
    if config.data.id is not None:
        assert config.data.id not in config.data.drop
    topics = [own["topic"] for own in facts["advice"]]
    assert ("Rows that cannot be divided" in topics) <= (
        config.split.how == "random" or config.task == "anomaly"
    )


PARTS = {  # label, time, amount, id of the command or found by name
    "creditcard": ("Class", "Time", "Amount", None),
    "paysim": ("isFraud", "step", "amount", None),
    "ieee_cis": ("isFraud", "TransactionDT", "TransactionAmt", "TransactionID"),
    "bank_accounts": ("fraud_bool", "month", None, None),
    "shop": ("class", "purchase_time", "purchase_value", None),
    "sparkov": ("is_fraud", "trans_date_trans_time", "amt", "trans_num"),
    "handbook": ("TX_FRAUD", "TX_DATETIME", "TX_AMOUNT", "TRANSACTION_ID"),
}
NO_FEATURES = {
    "creditcard": {"Time"},
    "paysim": {"nameOrig", "nameDest", "newbalanceOrig", "isFlaggedFraud", "step"},
    "ieee_cis": {"card1", "TransactionID", "TransactionDT"},
    "bank_accounts": {"month"},
    "shop": {"user_id", "device_id", "ip_address"},
    "sparkov": {"cc_num", "trans_num", "unix_time"},
    "handbook": {"CUSTOMER_ID", "TERMINAL_ID", "TX_FRAUD_SCENARIO", "TX_TIME_SECONDS"},
}


@pytest.mark.parametrize("name", FIELD_TABLES)
def test_usual_tables_of_the_field_are_known(name, explored_table):
    frame = TABLES[name]

    _, facts = explored_table(name)
    config = parsed(facts["command"])
    trained = load(config.data)

    label, time, amount, identifier = PARTS[name]
    assert (facts["data"]["label"], facts["data"]["time"]) == (label, time)
    assert trained.labels.sum() == frame[label].sum()
    assert trained.times is not None
    assert trained.spec.amount == facts["data"]["amount"] == amount
    assert identifier in (config.data.id, facts["data"]["id"])
    assert not NO_FEATURES[name] & set(trained.spec.names)
    assert config.split.how == "time"


def test_step_and_month_are_no_times_of_any_other_table():
    frame = payments(N_ROWS).drop(columns="when")
    frame = frame.assign(step=lambda own: own.index % 7, month=lambda own: own.index % 12)

    assert explored(frame)["data"]["time"] is None


def test_key_of_a_customer_is_no_id_even_where_it_comes_once():
    frame = payments(N_ROWS).rename(columns={"payment_ref": "card_number"})

    facts = explored(frame)

    config = parsed(facts["command"])
    assert config.data.id is None
    assert config.data.drop == ("card_number",)


def test_transaction_id_is_told_from_a_text_that_repeats():
    repeated = [f"R{number // 2:05d}" for number in range(N_ROWS)]

    facts = explored(payments(N_ROWS).assign(aaa_reference=repeated))

    assert parsed(facts["command"]).data.id == "payment_ref"
    assert explored(payments(N_ROWS).assign(payment_ref=repeated))["command"].count("--id") == 0


def test_label_is_suggested_where_one_column_could_be_it():
    frame = payments(N_ROWS).rename(columns={"fraud": "chargeback"})

    facts = explored(frame)

    assert "--label chargeback" in facts["command"]
    assert facts["advice"][0]["option"] == "--label chargeback"
    two = explored(frame.assign(scam=lambda own: own["chargeback"]))
    assert "chargeback and scam" in two["advice"][0]["text"]
    assert parsed(two["command"]).task == "anomaly"
    rare_shop = frame.drop(columns="chargeback")
    assert parsed(explored(rare_shop)["command"]).task == "anomaly"


def test_column_that_training_refuses_is_left_out_and_told():
    facts = explored(payments(N_ROWS).assign(noise=np.inf))

    assert parsed(facts["command"]).data.drop == ("noise",)
    told = next(own for own in facts["advice"] if own["topic"] == "A column that is refused")
    assert told["option"] == "--drop noise"
    assert "expected a finite number" in told["text"]


def test_configuration_file_stays_in_the_command(tmp_path):
    payments(N_ROWS).assign(mcc=lambda own: own.index % 5).to_csv(tmp_path / "a.csv", index=False)
    file = tmp_path / "run.toml"
    file.write_text('base_rate = 0.002\nseed = 7\n[data]\ncategorical = ["mcc"]\n')
    config = load_config(file, {"data": {"path": str(tmp_path / "a.csv")}})

    facts = exploration_facts(survey(config.data, config.seed), config, str(file))

    trained = parsed(facts["command"])
    assert trained.data.categorical == ("mcc",)
    assert (trained.base_rate, trained.seed) == (0.002, 7)


@pytest.mark.parametrize("name", ["usual", "frauds last", "nothing but fraud", "names with commas"])
def test_terminal_shows_it_in_80_columns_with_a_command_to_paste(name, explored_table):
    path, facts = explored_table(name)
    console = Console(width=80, force_terminal=False, file=StringIO())

    print_exploration(console, facts)

    text = console.file.getvalue()
    lines = text.splitlines()
    words = {str(path), f"'{path}'"}  # a path is longer than it can be helped
    assert all(len(line) <= 80 or any(word in line for word in words) for line in lines)
    assert not any(line.endswith(" ") for line in lines)
    said = " ".join(text.split())
    for own in facts["advice"]:
        assert " ".join(own["text"].split()) in said
    if facts["command"] is None:
        assert " ".join(facts["refusal"].split()) in said
    else:
        _, _, pasted = text.partition("Train with\n")
        assert shlex.split(pasted.replace("\\\n", "")) == shlex.split(facts["command"])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=5))
def test_list_of_columns_is_read_as_it_is_written(names):
    assert names_in(list_text(names)) == names


def test_quotation_mark_that_is_not_closed_is_refused():
    with pytest.raises(ConfigurationError, match="separated by commas"):
        names_in('a,"b')


def test_training_leaves_keys_of_customers_out_and_says_so():
    frame = payments(N_ROWS).assign(
        customer=[f"C{number % 90:03d}" for number in range(N_ROWS)],
        card_number=[number % 90 for number in range(N_ROWS)],
        reference=[f"R{number * 2 // 3:04d}" for number in range(N_ROWS)],
    )
    config = load_config(None, {}).data

    table = from_frame(frame, config, "payments")

    notes = {own: [note for note in table.notes if repr(own) in note] for own in frame}
    assert "customer" not in table.spec.names
    assert "keys of customers, cards or devices" in notes["customer"][0]
    assert "--drop card_number" in notes["card_number"][0]
    assert "no id: some come again" in notes["reference"][0]
    assert "name it with --id" in notes["payment_ref"][0]
    declared = replace(config, categorical=("customer",))
    assert "customer" in from_frame(frame, declared, "payments").spec.names


def test_file_of_semicolons_and_commas_is_read_as_training_reads_it(tmp_path):
    path = tmp_path / "european.csv"
    payments(N_ROWS).to_csv(path, sep=";", decimal=",", index=False)

    facts = explored_file(path)

    assert column(facts, "amount")["kind"] == "numeric"
    assert len(load(parsed(facts["command"]).data)) == N_ROWS


def test_label_word_that_training_does_not_know_is_said():
    frame = payments(N_ROWS).assign(label=lambda own: np.where(own["fraud"], "scam", "sale"))

    facts = explored(frame.drop(columns="fraud"))

    assert parsed(facts["command"]).data.positive == "scam"
    again = explored(frame.drop(columns="fraud"), positive="scam")
    assert again["classes"]["fraud"] == frame["fraud"].sum()
    assert parsed(again["command"]).data.positive == "scam"


def test_refused_amount_is_not_left_out_but_told_with_its_cure(explored_table):
    path, refused = explored_table("commas that may be either")
    told = explored_file(path, thousands=",")

    assert refused["command"] is None
    assert "--thousands" in refused["refusal"]
    assert parsed(told["command"]).data.thousands == ","


def test_advice_does_not_miss_an_amount_that_is_there_but_refused(explored_table):
    _, refused = explored_table("commas that may be either")

    [advice] = [own for own in refused["advice"] if own["topic"] == "Name the amount"]

    assert advice["text"].startswith("amount is named like the amount at stake, but")
