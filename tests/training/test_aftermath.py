"""What follows a saved artifact cannot fail the run: it is said in a line, and by the status."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from model.artifact import load
from tests.training.commands import MODELS, champion_of, run, write
from tests.training.tables import mixed_frame
from training.cli import runs
from training.cli.aftermath import NOT_WRITTEN, Aftermath
from training.cli.console import RunConsole

pytestmark = pytest.mark.usefixtures("working_folder")
FRAME = mixed_frame(800)


def failing(*_arguments, **_options):
    """Fail as a report may that meets what nobody thought of."""
    raise ZeroDivisionError("a share of\nnothing")


@pytest.mark.parametrize(
    ("command", "owner", "name", "what"),
    [
        ("train", runs, "write_card", "the card"),
        ("train", RunConsole, "print_result", "the figures"),
        ("retrain", runs, "write_report", "the report"),
    ],
)
def test_failure_is_a_line_and_a_status_and_the_model_serves(
    command, owner, name, what, monkeypatch
):
    monkeypatch.setattr(owner, name, failing)

    output = run(command, "--data", write(FRAME), "--config", "quick.toml", status=NOT_WRITTEN)

    (line,) = [line for line in output.splitlines() if "not written" in line]
    assert line.split("not written")[1].strip() == (
        f"{what}: ZeroDivisionError: a share of nothing (the model is complete without it)"
    )
    assert "Traceback" not in output
    version = champion_of(MODELS)
    assert load(MODELS / f"{version}.npz").version == version
    assert (MODELS / f"{version}.json").exists() == (what != "the card")
    assert Path(f"reports/cards/{version}/report.html").exists() == (what != "the report")
    assert f"{version}, the first version of its name" in output


def test_report_that_has_no_room_is_no_reason_to_fail():
    Path("reports").write_text("a file where the folder should be")

    output = run("train", "--data", write(FRAME), "--config", "quick.toml", status=NOT_WRITTEN)

    assert "not written     the report: " in output
    assert champion_of(MODELS)


def test_all_that_can_be_written_is_written():
    printed = io.StringIO()
    aftermath = Aftermath(Console(file=printed, width=80))

    assert aftermath.attempt("the first", failing) is None
    assert aftermath.attempt("the second", lambda: 5) == 5

    assert printed.getvalue().count("not written") == 1
    with pytest.raises(SystemExit) as ended:
        aftermath.finish()
    assert ended.value.code == NOT_WRITTEN


def test_nothing_happens_where_nothing_failed():
    aftermath = Aftermath(Console(file=io.StringIO()))

    aftermath.attempt("it", lambda: None)

    aftermath.finish()


@pytest.mark.parametrize("last", ["test rows", "Written", "champion"])
def test_reader_who_has_enough_leaves_a_complete_model(last, monkeypatch):
    """As ``| head`` does; rich ends the process at the first line that nobody takes."""

    def leave(console, text="", **_options):
        if last in str(text):
            console.quiet = True
            raise SystemExit(1)

    monkeypatch.setattr(Console, "print", leave)

    run("train", "--data", write(FRAME), "--config", "quick.toml", status=NOT_WRITTEN)

    version = champion_of(MODELS)
    assert (MODELS / f"{version}.json").is_file()
    assert Path(f"reports/cards/{version}/report.html").is_file()


def test_terminal_that_is_gone_is_no_reason_to_fail():
    closed = io.StringIO()
    closed.close()
    aftermath = Aftermath(Console(file=closed))

    assert aftermath.attempt("it", failing) is None
