"""API keys: kept as hashes, changed while the service runs, never a way in by accident."""

import json
import logging
import os
import stat
import threading

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from app.__main__ import main
from app.access import keys as keys_module
from app.access.keys import APIKey, KeyRing, digest, read_keys, write_keys
from model.errors import ConfigurationError


@pytest.fixture
def path(tmp_path):
    """Return where the keys are kept."""
    return tmp_path / "keys.json"


@pytest.fixture
def run(path):
    """Return a function that runs a keys command on the file."""
    return lambda *words: CliRunner().invoke(main, ["keys", "--file", str(path), *words])


@pytest.fixture
def _at_once(monkeypatch):
    """Look at the file again with every request."""
    monkeypatch.setattr(keys_module, "LOOK_AGAIN_S", 0)
    monkeypatch.setattr(keys_module, "LOOK_S", 60)


def made(path, *names):
    """Write keys of these names and return their secrets."""
    pairs = [APIKey.generate(name) for name in names]
    write_keys(path, tuple(key for key, _ in pairs))
    return [secret for _, secret in pairs]


def test_added_key_is_shown_once_and_kept_as_its_hash(run, path):
    result = run("add", "checkout")

    secret = result.stdout.strip()
    kept = json.loads(path.read_text())["keys"]["checkout"]
    assert result.exit_code == 0
    assert secret.startswith("fraudscore_")
    assert len(secret) >= 43  # 256 bits, six in a character
    assert kept["sha256"] == digest(secret).hex()
    assert secret not in path.read_text()
    assert KeyRing(path).name_of(secret) == "checkout"


def test_file_is_readable_by_its_owner_alone(run, path):
    old_mask = os.umask(0)
    try:
        run("add", "checkout")
    finally:
        os.umask(old_mask)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes files for others")
def test_file_stays_with_the_user_who_owned_it(run, path):
    run("add", "checkout")
    os.chown(path, 10001, 10001)

    run("add", "ledger")

    assert (path.stat().st_uid, path.stat().st_gid) == (10001, 10001)


def test_file_behind_a_symbolic_link_is_updated(run, path, tmp_path):
    target = tmp_path / "secrets" / "keys"
    path.symlink_to(target)
    secret = run("add", "checkout").stdout.strip()

    run("add", "ledger")

    assert path.is_symlink()
    assert KeyRing(target).name_of(secret) == "checkout"
    assert len(read_keys(target)) == 2


def test_listed_keys_have_names_and_times_and_no_secrets(run):
    secrets = [run("add", name).stdout.strip() for name in ("checkout", "ledger")]

    listed = run("list").stdout

    assert [line.split()[1] for line in listed.splitlines()] == ["checkout", "ledger"]
    assert not any(secret in listed or digest(secret).hex() in listed for secret in secrets)


def test_removed_key_is_gone_and_the_others_stay(run, path):
    first, second = (run("add", name).stdout.strip() for name in ("checkout", "ledger"))

    run("remove", "checkout")

    ring = KeyRing(path)
    assert ring.name_of(first) is None
    assert ring.name_of(second) == "ledger"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add", "check out"), "a name has"),
        (("add", "x" * 65), "a name has"),
        (("add", "known"), "'known' already"),
        (("remove", "unknown"), "no key 'unknown'"),
    ],
)
def test_command_that_cannot_work_ends_in_one_line(run, path, words, message):
    run("add", "known")
    before = path.read_bytes()

    result = run(*words)

    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert path.read_bytes() == before


def test_keys_that_are_added_at_the_same_time_are_all_kept(run, path):
    threads = [threading.Thread(target=run, args=("add", f"key-{i}")) for i in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {key.name for key in read_keys(path)} == {f"key-{i}" for i in range(8)}


DAMAGE = {
    "not JSON": b"{",
    "a list": b"[]",
    "empty": b"",
    "no keys": b"{}",
    "unknown name": b'{"keys": {}, "kyes": {}}',
    "short hash": b'{"keys": {"a": {"sha256": "00", "created": "2026-01-01T00:00:00+00:00"}}}',
    "no time": b'{"keys": {"a": {"sha256": "%s"}}}' % (b"0" * 64),
    "bad name": b'{"keys": {"a b": {"sha256": "%s", "created": "2026-01-01T00:00:00Z"}}}'
    % (b"0" * 64),
    "null": b'{"keys": null}',
    "repeated name": b'{"keys": {"a": {}, "a": {}}}',
    "too large": b'{"keys": {}}'.ljust(2**20 + 1),
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_file_is_refused_without_repeating_its_content(path, content):
    path.write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        KeyRing(path)

    assert str(path) in str(caught.value)
    assert "a b" not in str(caught.value)


def test_missing_file_is_refused_by_name(path):
    with pytest.raises(ConfigurationError, match=r"keys\.json cannot be read: No such file"):
        KeyRing(path)


@pytest.mark.usefixtures("_at_once")
def test_changed_file_changes_who_may_come_in(path):
    (old,) = made(path, "old")
    ring = KeyRing(path)

    (new,) = made(path, "new")

    assert ring.name_of(new) == "new"
    assert ring.name_of(old) is None


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("content", [None, *DAMAGE.values()], ids=["missing", *DAMAGE])
def test_file_damaged_while_running_leaves_the_last_good_keys(path, content, caplog):
    (good,) = made(path, "good")
    ring = KeyRing(path)

    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    found = [ring.name_of(secret) for secret in (good, "", "wrong") for _ in range(3)]

    assert found == ["good"] * 3 + [None] * 6
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert str(path) in ring.problem

    (newer,) = made(path, "newer")
    assert ring.name_of(newer) == "newer"
    assert ring.problem is None


@pytest.mark.usefixtures("_at_once")
def test_file_without_keys_lets_nobody_in(path):
    (good,) = made(path, "good")
    ring = KeyRing(path)

    write_keys(path, ())

    assert ring.name_of(good) is None
    assert ring.name_of("") is None


def test_file_is_not_looked_at_more_than_about_once_a_second(path):
    (good,) = made(path, "good")
    ring = KeyRing(path)

    path.unlink()
    ring.name_of(good)

    assert ring.problem is None


@given(st.text())
def test_no_other_text_is_a_key(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "no-other-text.json"
    if not path.exists():
        made(path, "one", "two")

    assert KeyRing(path).name_of(text) is None
