"""The history of champions: what it says, what rollbacks make of it, and what it survives."""

import json
import os
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.artifact import load
from model.errors import ArtifactNotFoundError
from model.pointer import Pointer, read_pointer, write_pointer
from tests.factories import save_tiny
from training import champions
from training import promote as promotion
from training.champions import Event, champions_in_order, read_history
from training.promote import PromotionError, promote, rollback


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a folder with four versions of a tiny model, and their names."""
    folder = tmp_path_factory.mktemp("tiny")
    saved = [save_tiny(folder, seed=seed) for seed in range(4)]
    return folder, [a.version for a in saved], {a.version: a for a in saved}


@pytest.fixture
def folder(source, tmp_path):
    """Return a copy of the folder that nothing was promoted in."""
    copy_versions(source, tmp_path)
    return tmp_path


def copy_versions(source, target):
    """Copy every version into a folder."""
    for path in source[0].glob("*.npz"):
        os.link(path, target / path.name)


def lines_of(folder):
    """Return the lines of a history as objects."""
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def rollbacks(folder):
    """Roll back until it is refused; return the versions on the way."""
    found = []
    while True:
        try:
            found.append(rollback(folder).version)
        except PromotionError:
            return found


def test_every_change_of_the_pointer_is_a_line(folder, source):
    first, second, *_ = source[1]

    promote(folder, first, "the first version of its name")
    promote(folder, second)
    rollback(folder)

    events = lines_of(folder)
    assert [(e["event"], e["version"], e["reason"]) for e in events] == [
        ("promoted", first, "the first version of its name"),
        ("promoted", second, ""),
        ("rolled back", first, f"from {second}"),
    ]
    assert {e["sha256"] for e in events} == {
        load(folder / f"{version}.npz").sha256 for version in (first, second)
    }
    assert events[-1]["at"] == read_pointer(folder).promoted_at
    assert [asdict(event) for event in read_history(folder)] == events


def test_rollback_goes_further_back_each_time_and_then_refuses(folder, source):
    first, second, third, _ = source[1]
    for version in (first, second, third):
        promote(folder, version)

    assert rollback(folder).previous == first
    assert read_pointer(folder).version == second
    assert rollback(folder).previous is None
    assert read_pointer(folder).version == first
    with pytest.raises(PromotionError, match=f"no version served before {first}"):
        rollback(folder)


def test_version_that_was_rolled_back_from_is_never_returned_to(folder, source):
    first, second, third, fourth = source[1]
    for version in (first, second, third):
        promote(folder, version)
    rollback(folder)

    promote(folder, fourth)

    assert rollbacks(folder) == [second, first]


def test_version_promoted_again_is_returned_to_once(folder, source):
    first, second, *_ = source[1]
    for version in (first, second, first):
        promote(folder, version)

    assert rollbacks(folder) == [second]


class Served:
    """What rollbacks are expected to do: who served, and who was found to be bad since."""

    def __init__(self):
        self.served, self.bad = [], set()

    def promote(self, version):
        self.served.append(version)
        self.bad.discard(version)

    def rollback(self):
        """Return to who served last, unless it was rolled back from; None: refuse."""
        current = self.served[-1]
        candidates = [v for v in self.served if v != current and v not in self.bad]
        if not candidates:
            return None
        self.bad.add(current)
        self.served.append(candidates[-1])
        return candidates[-1]


@given(st.lists(st.sampled_from([0, 1, 2, 3, "rollback"]), min_size=1, max_size=30))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_row_of_promotions_and_rollbacks_ends_where_it_should(source, tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("steps")
    verified = {f"{version}.npz": artifact for version, artifact in source[2].items()}

    with pytest.MonkeyPatch.context() as patch:  # what is chosen is the point here
        patch.setattr(promotion, "load", lambda path: verified[path.name])
        patch.setattr(champions.os, "fsync", lambda _file: None)
        follow(folder, source[1], steps)


def follow(folder, versions, steps):
    """Take steps, and compare each with what is expected."""
    expected, streak = Served(), []
    for step in steps:
        if step != "rollback":
            version = versions[step]
            promote(folder, version)
            expected.promote(version)
            streak = [version]
        elif not expected.served:
            with pytest.raises(ArtifactNotFoundError):
                rollback(folder)
        else:
            target = expected.rollback()
            if target is None:
                with pytest.raises(PromotionError, match="no version served before"):
                    rollback(folder)
            else:
                promised = read_pointer(folder).previous
                assert rollback(folder).version == target == promised
                assert target not in streak  # it never goes back and forth
                streak.append(target)
        if expected.served:
            assert read_pointer(folder).version == expected.served[-1]


def test_folder_without_a_history_knows_the_version_before(folder, source):
    first, second, *_ = source[1]
    promote(folder, first)
    promote(folder, second)
    (folder / "history.jsonl").unlink()

    assert rollbacks(folder) == [first]
    assert [(e["event"], e["version"]) for e in lines_of(folder)] == [
        ("promoted", first),
        ("promoted", second),
        ("rolled back", first),
    ]


@pytest.mark.parametrize("lost", ["promotion", "rollback"])
def test_line_that_a_crash_kept_from_being_written_is_added_later(folder, source, lost):
    first, second, third, _ = source[1]
    for version in (first, second, third):
        promote(folder, version)
    if lost == "rollback":
        rollback(folder)
    kept = (folder / "history.jsonl").read_bytes().splitlines(keepends=True)[:-1]
    (folder / "history.jsonl").write_bytes(b"".join(kept))

    assert rollbacks(folder) == ([second, first] if lost == "promotion" else [first])
    assert champions.UNWRITTEN in {line["reason"] for line in lines_of(folder)}


def test_line_that_was_cut_short_is_no_line(folder, source):
    first, second, third, _ = source[1]
    for version in (first, second):
        promote(folder, version)
    path = folder / "history.jsonl"
    path.write_bytes(path.read_bytes()[:-20])

    promote(folder, third)

    assert [event["version"] for event in lines_of(folder)] == [first, second, third]
    assert rollbacks(folder) == [second, first]


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "{}",
        '{"at": "2026-01-01", "event": "deleted", "version": "ab", "sha256": null}',
        '{"at": "soon", "event": "promoted", "version": "ab", "sha256": null}',
        '{"at": "2026-01-01", "event": "promoted", "version": "../ab", "sha256": null}',
        '{"at": "2026-01-01", "event": "promoted", "version": 12, "sha256": null}',
        '{"at": "2026-01-01", "event": "promoted", "version": "ab", "version": "c", "sha256": ""}',
    ],
)
def test_foreign_line_is_refused_by_its_number_and_nothing_changes(folder, source, line):
    first, second, *_ = source[1]
    promote(folder, first)
    with (folder / "history.jsonl").open("a") as file:
        file.write(f"{line}\n")

    for change in (lambda: promote(folder, second), lambda: rollback(folder)):
        with pytest.raises(PromotionError, match=r"history\.jsonl, line 2: .*move it away"):
            change()

    assert read_pointer(folder).version == first


def test_history_too_large_to_be_one_is_not_read(folder, source, monkeypatch):
    promote(folder, source[1][0])
    monkeypatch.setattr(champions, "MOST_BYTES", 10)

    with pytest.raises(PromotionError, match="larger than 10 bytes"):
        promote(folder, source[1][1])


def test_full_disk_after_the_pointer_is_told_and_made_good(folder, source, monkeypatch):
    first, second, third, _ = source[1]
    promote(folder, first)

    def fail(_file):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(champions, "write_pointer", write_pointer_then(patch, fail))
        with pytest.raises(PromotionError, match=f"{second} is the champion now, but .*No space"):
            promote(folder, second)

    assert read_pointer(folder).version == second
    promote(folder, third)
    assert rollbacks(folder) == [second, first]


def write_pointer_then(patch, fail):
    """Write the pointer; whatever is flushed to disk afterwards fails."""

    def write(directory, pointer):
        write_pointer(directory, pointer)
        patch.setattr(champions.os, "fsync", fail)

    return write


def test_pointer_that_names_a_stranger_is_believed(folder, source):
    first, second, third, fourth = source[1]
    promote(folder, first)
    other = load(folder / f"{third}.npz")
    write_pointer(folder, Pointer(third, other.sha256, second, "2026-01-01T00:00:00+00:00"))

    promote(folder, fourth)

    assert rollbacks(folder) == [third, second, first]


def test_order_of_champions_by_hand():
    def events(*steps):
        return [Event("2026-01-01T00:00:00+00:00", event, v, None) for event, v in steps]

    assert champions_in_order([]) == []
    assert champions_in_order(events(("rolled back", "a"))) == ["a"]
    assert champions_in_order(
        events(("promoted", "a"), ("promoted", "b"), ("promoted", "c"), ("rolled back", "a"))
    ) == ["a"]
