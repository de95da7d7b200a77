"""``python -m training explore``."""

import json

import pytest

from tests.training.commands import refused, run, write
from tests.training.explorations import payments

pytestmark = pytest.mark.usefixtures("working_folder")


def test_command_writes_a_report_and_prints_the_advice(tmp_path):
    frame = payments(300, fraud_share=0.4)[["payment_ref", "amount", "city", "fraud"]]

    output = run(
        "explore",
        "--data",
        write(frame),
        "--label",
        "fraud",
        "--base-rate",
        "0.002",
    )

    folder = tmp_path / "reports/cards/explore"
    facts = json.loads((folder / "report.json").read_text())
    assert (folder / "report.html").is_file()
    assert (folder / "report-amounts.png").read_bytes().startswith(b"\x89PNG")
    assert "300 with 4 columns" in output
    assert "payment_ref has 300 different texts" in output
    assert facts["command"] in output.replace(" \\\n   ", "")
    assert "--label fraud --id payment_ref --base-rate 0.002" in facts["command"]
    assert "State the base rate" not in output


def test_report_has_the_name_and_place_that_are_asked_for(tmp_path):
    data = write(payments(60)[["amount", "fraud"]])

    run("explore", "--data", data, "--name", "trial", "--reports", "elsewhere")

    assert (tmp_path / "elsewhere/trial/explore/report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--data", "absent.csv"], "no such file"),
        (["--data", "empty.csv"], "the table has no rows"),
        (["--data", "cards.csv", "--label", "chargeback"], "there is no such column"),
        (["--data", "cards.csv", "--drop", "channel,chanel"], "there is no such column"),
        (["--data", "cards.csv", "--time", "channel"], "it holds no dates"),
        (["--data", "cards.csv", "--amount", "city"], "it holds no numbers"),
    ],
)
def test_what_cannot_be_explored_is_refused_in_one_line(tmp_path, arguments, reason):
    write(payments(60))
    write(payments(60)[:0], "empty.csv")

    message = refused("explore", *arguments)

    assert reason in message
    assert not (tmp_path / "reports").exists()
