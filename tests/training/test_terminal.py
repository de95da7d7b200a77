"""Names of columns, categories and files on a terminal: text, never commands to it."""

import re
import sys
import warnings

import pytest

from tests.training.commands import QUICK_TOML, refused, run
from tests.training.tables import mixed_frame
from training.cli.streams import printable_errors

CLEAR = "\x1b[2J\x9b31m\x07"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@pytest.fixture
def hostile(tmp_path):
    """Return a table and a configuration whose names hold control characters."""
    frame = mixed_frame(800).rename(columns={"V1": f"V1{CLEAR}", "country": f"land{CLEAR}"})
    for name in frame.columns:
        if frame[name].dtype == object:
            frame[name] = frame[name].where(frame[name].isna(), frame[name].astype(str) + CLEAR)
    frame["only" + CLEAR] = 1
    table = tmp_path / f"table{CLEAR}.csv"
    frame.to_csv(table, index=False)
    (tmp_path / "quick.toml").write_text(QUICK_TOML)
    return table


def test_commands_print_no_control_characters(hostile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    toml = tmp_path / "quick.toml"

    printed = [
        run("explore", "--data", hostile, "--config", toml),
        run("train", "--data", hostile, "--config", toml, "--name", "t", "--promote-anyway"),
        run("predict", "--data", hostile, "--row", 0, "--model", tmp_path / "artifacts/t"),
        refused("train", "--data", hostile, "--label", f"no{CLEAR}\nsuch"),
        refused("evaluate", "--data", f"{hostile}{CLEAR}", "--model", tmp_path / "artifacts/t"),
    ]

    assert not CONTROL.findall("".join(printed))
    assert all("␛[2J" in text for text in printed)


def test_warnings_of_libraries_are_only_text(capsys):
    with printable_errors():
        warning = UserWarning(f"column a{CLEAR} is constant")
        sys.stderr.write(warnings.formatwarning(warning, UserWarning, "pandas.py", 1))

    written = capsys.readouterr().err
    assert "column a␛[2J" in written
    assert not CONTROL.findall(written)


def test_standard_error_is_given_back():
    before = sys.stderr

    with printable_errors():
        assert sys.stderr.isatty() == before.isatty()

    assert sys.stderr is before
