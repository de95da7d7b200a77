"""The run directory belongs to one service of one user."""

import os
from pathlib import Path

import pytest

from app import run_dir
from model.errors import ConfigurationError


@pytest.fixture
def path(tmp_path):
    """Return where a run directory may be."""
    return tmp_path / "run"


def refusal(path, **options):
    """Return the one line with which a run directory is refused."""
    with pytest.raises(ConfigurationError) as caught:
        run_dir.claim(path, **{"is_upgrade": False} | options)
    message = str(caught.value)
    assert message.startswith("FRAUDSCORE_RUN_DIR: ")
    assert str(path) in message
    assert "\n" not in message
    return message


def test_named_directory_wins_over_the_one_of_the_port():
    by_port = {"TMPDIR": "/scratch", "PORT": "9000"}

    assert run_dir.locate(by_port) == Path("/scratch/fraudscore-9000")
    assert run_dir.locate({**by_port, "FRAUDSCORE_RUN_DIR": "/run/ours"}) == Path("/run/ours")
    assert run_dir.locate({"PORT": "9000"}).name == "fraudscore-9000"
    assert run_dir.locate({}).name == "fraudscore-8000"


def test_directory_is_made_for_its_owner_alone(path):
    run_dir.claim(path, is_upgrade=False)

    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "metrics").stat().st_mode & 0o777 == 0o700


def test_cold_start_removes_what_an_earlier_service_left(path):
    (path / "metrics").mkdir(parents=True)
    (path / "metrics" / "counter_12.db").touch()
    (path / "notes.txt").write_text("not ours to remove")
    path.chmod(0o700)
    run_dir.drain(path)

    run_dir.claim(path, is_upgrade=False)

    assert not run_dir.is_draining(path)
    assert list((path / "metrics").iterdir()) == []
    assert (path / "notes.txt").exists()


def test_metrics_that_are_a_link_are_not_followed(path, tmp_path):
    path.mkdir(mode=0o700)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").touch()
    (path / "metrics").symlink_to(tmp_path / "elsewhere")

    assert "symbolic link" in refusal(path)
    assert (tmp_path / "elsewhere" / "precious").exists()


def test_upgrade_leaves_everything_and_may_share_the_directory(path):
    run_dir.claim(path, is_upgrade=False)
    (path / "metrics" / "counter_12.db").touch()
    run_dir.drain(path)

    run_dir.claim(path, is_upgrade=True)

    assert run_dir.is_draining(path)
    assert (path / "metrics" / "counter_12.db").exists()


def test_second_service_is_refused(path, monkeypatch):
    monkeypatch.setattr(run_dir, "CLAIM_SECONDS", 0.0)
    run_dir.claim(path, is_upgrade=False)

    assert "another service runs in" in refusal(path)


def test_link_is_refused(path, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    path.symlink_to(tmp_path / "elsewhere")

    assert "is a link" in refusal(path)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_file_in_its_place_is_refused(path):
    path.write_text("")

    assert "cannot be used: File exists" in refusal(path)


def test_directory_under_nothing_is_refused(path):
    assert "No such file or directory" in refusal(path / "below")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o750, 0o705])
def test_directory_that_is_open_to_others_is_refused(path, mode):
    path.mkdir()
    path.chmod(mode)

    assert "open to others" in refusal(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_directory_of_somebody_else_is_refused(path):
    path.mkdir(mode=0o700)
    os.chown(path, 12345, 12345)

    assert "belongs to another user" in refusal(path)


def test_link_in_place_of_the_lock_is_refused(path, tmp_path):
    path.mkdir(mode=0o700)
    (path / "lock").symlink_to(tmp_path / "target")

    refusal(path)

    assert not (tmp_path / "target").exists()


def test_directory_is_used_only_while_a_service_holds_it(path):
    assert not run_dir.is_used(path)
    path.mkdir(mode=0o700)
    (path / "lock").touch()
    assert not run_dir.is_used(path)

    run_dir.claim(path, is_upgrade=True)

    assert run_dir.is_used(path)


def test_service_without_a_run_directory_never_drains():
    assert not run_dir.is_draining(None)
