"""The champion is replaced in one step, and never by a model that has not proven itself."""

import logging
import shutil

import pytest

from app import store as store_module
from app.answer import answer
from app.json_provider import dumps, loads
from app.store import ModelStore, Swaps
from model import npz as npz_module
from model.pointer import FILE_NAME
from tests.app import champions
from tests.app.champions import DAMAGES, copied, point_to
from tests.factories import TINY_FEATURES, renamed, save_tiny, valid_row


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return three small models; the third reads a feature of another name."""
    directory = tmp_path_factory.mktemp("trained") / "tiny"
    other = renamed(TINY_FEATURES, V1="velocity")
    changes = ({"seed": 0}, {"seed": 1}, {"seed": 2, "features": other})
    return [save_tiny(directory, **each) for each in changes]


@pytest.fixture
def artifacts(trained, tmp_path):
    """Return the three in a folder of their own, the first being the champion."""
    found = [copied(artifact, tmp_path) for artifact in trained]
    point_to(found[0])
    return found


@pytest.fixture
def store(artifacts):
    """Return a store that has loaded the first champion."""
    return ModelStore(artifacts[0].path.parent, 100)


def refusals(caplog):
    """Return what was logged about refused champions."""
    return [record for record in caplog.records if record.message == "champion refused"]


def test_new_champion_replaces_the_old_one(store, artifacts):
    begun = store.current().loaded_at
    point_to(artifacts[1])

    store.refresh()

    assert store.current().artifact.version == artifacts[1].version
    assert store.current().loaded_at > begun
    assert store.swaps == Swaps(swapped=1, refused=0)
    assert store.status() == {
        "status": "ok",
        "model": {
            "name": "tiny",
            "version": artifacts[1].version,
            "sha256": artifacts[1].sha256,
            "promoted_at": "2026-02-02T00:00:00+00:00",
        },
    }


def test_unchanged_pointer_changes_nothing(store):
    champion = store.current()

    store.refresh()
    store.take_up()

    assert store.current() is champion
    assert store.swaps == Swaps()


def test_two_promotions_between_two_looks_end_at_the_second(store, artifacts):
    point_to(artifacts[1])
    point_to(artifacts[2])

    store.refresh()

    assert store.current().artifact.version == artifacts[2].version
    assert store.swaps.swapped == 1


def test_request_that_has_begun_is_answered_by_the_model_it_began_with(store, artifacts):
    body = dumps(valid_row())
    begun = store.current()
    before = answer(begun, "predict", body).body
    point_to(artifacts[1])

    store.refresh()

    assert answer(begun, "predict", body).body == before
    assert (
        loads(answer(store.current(), "predict", body).body)["model"]["version"]
        != (loads(before)["model"]["version"])
    )


def test_new_model_may_read_other_features(store, artifacts):
    point_to(artifacts[2])

    store.refresh()

    row = valid_row(V1=..., velocity=0.3)
    assert answer(store.current(), "predict", dumps(row)).status == 200


@pytest.mark.parametrize("damage", DAMAGES)
def test_bad_new_model_is_refused_while_the_old_one_serves(store, artifacts, damage, caplog):
    point_to(artifacts[1])
    damage(artifacts[1])
    before = store.current()

    for _ in range(3):
        store.refresh()

    status = store.status()
    assert store.current() is before
    assert status["status"] == "degraded"
    assert status["model"]["version"] == artifacts[0].version
    assert status["refused_version"] not in (None, artifacts[0].version)
    assert status["reason"]
    assert "/" not in status["reason"]
    assert store.swaps == Swaps(swapped=0, refused=1)
    (logged,) = refusals(caplog)
    assert logged.levelno == logging.ERROR
    assert logged.facts["model"] == artifacts[0].version
    assert logged.facts["refused"] == status["refused_version"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_model_that_becomes_good_is_taken(store, artifacts, trained, damage):
    point_to(artifacts[1])
    damage(artifacts[1])
    store.refresh()

    if artifacts[1].path.is_dir():
        artifacts[1].path.rmdir()
    shutil.copy(trained[1].path, artifacts[1].path)
    point_to(artifacts[1])
    store.refresh()

    assert store.status()["status"] == "ok"
    assert store.current().artifact.version == artifacts[1].version
    assert store.swaps == Swaps(swapped=1, refused=1)


def test_artifact_may_arrive_after_its_pointer(store, artifacts, trained):
    point_to(artifacts[1])
    artifacts[1].path.unlink()
    store.refresh()

    shutil.copy(trained[1].path, artifacts[1].path)
    store.refresh()

    assert store.current().artifact.version == artifacts[1].version


@pytest.mark.parametrize("content", [None, b"", b'{"version": "3f', b"\xff" * 100, b"{}"])
def test_bad_pointer_is_refused_until_the_old_one_is_back(store, artifacts, content, caplog):
    path = artifacts[0].path.with_name(FILE_NAME)
    sound = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for _ in range(3):
        store.refresh()
    status, logged = store.status(), refusals(caplog)

    path.write_bytes(sound)
    store.refresh()

    assert status["status"] == "degraded"
    assert status["refused_version"] is None
    assert status["model"]["version"] == artifacts[0].version
    assert "/" not in status["reason"]
    assert len(logged) == 1
    assert store.status()["status"] == "ok"
    assert store.swaps == Swaps(swapped=0, refused=1)


def test_rollback_to_what_serves_ends_the_trouble_without_a_swap(store, artifacts):
    serving = store.current().artifact
    point_to(artifacts[1])
    champions.truncated(artifacts[1])
    store.refresh()

    point_to(artifacts[0], promoted_at="2026-03-03T00:00:00+00:00")
    store.refresh()

    assert store.status()["status"] == "ok"
    assert store.status()["model"]["promoted_at"] == "2026-03-03T00:00:00+00:00"
    assert store.current().artifact is serving
    assert store.swaps == Swaps(swapped=0, refused=1)


def test_each_refused_pointer_is_told_once(store, artifacts, caplog):
    for artifact in (artifacts[1], artifacts[2]):
        point_to(artifact)
        champions.truncated(artifact)
        store.refresh()
        store.refresh()

    told = [record.facts["refused"] for record in refusals(caplog)]
    assert told == [artifacts[1].version, artifacts[2].version]
    assert store.swaps == Swaps(swapped=0, refused=2)


def test_champion_damaged_on_disk_shows_before_a_worker_needs_it(store, artifacts):
    champions.flipped_byte(artifacts[0])

    store.refresh()

    assert store.status()["status"] == "degraded"
    assert store.current().artifact.version == artifacts[0].version


def test_refused_file_is_not_read_again_at_every_look(store, artifacts, monkeypatch):
    point_to(artifacts[1])
    with monkeypatch.context() as patched:
        patched.setattr(npz_module, "LARGEST_FILE", 1000)
        store.refresh()

    store.refresh()

    assert store.status()["status"] == "degraded"


def test_refused_file_is_read_again_after_a_while(store, artifacts, monkeypatch):
    monkeypatch.setattr(store_module, "RETRY_SECONDS", 0.0)
    point_to(artifacts[1])
    with monkeypatch.context() as patched:
        patched.setattr(npz_module, "LARGEST_FILE", 1000)
        store.refresh()

    store.refresh()

    assert store.current().artifact.version == artifacts[1].version


def test_new_process_takes_up_the_champion_of_today(store, artifacts):
    point_to(artifacts[1])

    store.take_up()

    assert store.status()["status"] == "ok"
    assert store.current().artifact.version == artifacts[1].version


@pytest.mark.parametrize("damage", DAMAGES)
def test_new_process_falls_back_to_the_champion_before(store, artifacts, damage):
    point_to(artifacts[2], previous=artifacts[1].version)
    damage(artifacts[2])

    store.take_up()

    status = store.status()
    assert status["status"] == "degraded"
    assert status["model"]["version"] == artifacts[1].version
    assert status["model"]["promoted_at"] is None


def test_new_process_falls_back_to_what_was_verified_before_the_fork(store, artifacts, caplog):
    point_to(artifacts[2], previous=artifacts[1].version)
    champions.truncated(artifacts[2])
    champions.truncated(artifacts[1])

    store.take_up()

    assert store.status()["status"] == "degraded"
    assert store.current().artifact.version == artifacts[0].version
    assert "no previous champion" in caplog.messages


def test_new_process_keeps_the_champion_it_inherited_where_the_file_is_damaged(store, artifacts):
    point_to(artifacts[0], previous=artifacts[1].version)
    champions.truncated(artifacts[0])

    store.take_up()

    assert store.status()["status"] == "degraded"
    assert store.current().artifact.version == artifacts[0].version


def test_new_process_without_a_pointer_keeps_what_it_inherited(store, artifacts):
    artifacts[0].path.with_name(FILE_NAME).unlink()

    store.take_up()

    assert store.status()["status"] == "degraded"
    assert store.current().artifact.version == artifacts[0].version


def test_process_that_fell_back_takes_the_next_good_champion(store, artifacts, trained):
    point_to(artifacts[2], previous=artifacts[1].version)
    champions.missing(artifacts[2])
    store.take_up()

    shutil.copy(trained[2].path, artifacts[2].path)
    store.refresh()

    assert store.status()["status"] == "ok"
    assert store.current().artifact.version == artifacts[2].version
