"""The pointer to the champion: promotion and rollback."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from model.errors import ArtifactCorruptError, ArtifactError, ArtifactNotFoundError
from model.pointer import load_champion, read_pointer
from tests.factories import save_tiny
from training.promote import (
    PromotionError,
    champion_of,
    promote,
    rollback,
)


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """Return a folder with three versions of a tiny model, and their names."""
    folder = tmp_path_factory.mktemp("tiny")
    return folder, [save_tiny(folder, seed=seed).version for seed in range(3)]


@pytest.fixture
def folder(versions, tmp_path):
    """Return a copy of the folder that nothing was promoted in."""
    source, names = versions
    for name in names:
        (tmp_path / f"{name}.npz").write_bytes((source / f"{name}.npz").read_bytes())
    return tmp_path


def damage(path):
    """Flip a byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_a_folder_without_a_champion_has_none(folder):
    assert champion_of(folder) is None
    assert champion_of(folder / "nowhere") is None


def test_first_version_has_no_predecessor(folder, versions):
    first, *_ = versions[1]

    pointer = promote(folder, first)

    artifact, read = load_champion(folder)
    assert (pointer.version, pointer.previous) == (first, None)
    assert (read, artifact.version, artifact.sha256) == (pointer, first, pointer.sha256)
    assert champion_of(folder).version == first
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", pointer.promoted_at)


def test_promotion_remembers_the_predecessor(folder, versions):
    first, second, third = versions[1]

    promote(folder, first)
    assert promote(folder, second).previous == first
    assert promote(folder, third).previous == second


def test_promoting_the_champion_again_keeps_its_predecessor(folder, versions):
    first, second, _ = versions[1]
    promote(folder, first)
    promote(folder, second)

    assert promote(folder, second).previous == first


def test_rollback_without_a_predecessor_is_refused(folder, versions):
    first, *_ = versions[1]
    promote(folder, first)

    with pytest.raises(PromotionError, match=f"no version served before {first}"):
        rollback(folder)

    assert read_pointer(folder).version == first


def test_rollback_where_nothing_was_promoted_is_refused(folder):
    with pytest.raises(ArtifactNotFoundError, match="no model has been promoted"):
        rollback(folder)


@pytest.mark.parametrize("change", ["damaged", "missing", "renamed"])
def test_damaged_target_is_refused_and_the_champion_stays(folder, versions, change):
    first, second, third = versions[1]
    promote(folder, first)
    before = (folder / "champion.json").read_bytes()
    if change == "damaged":
        damage(folder / f"{second}.npz")
    elif change == "missing":
        (folder / f"{second}.npz").unlink()
    else:
        (folder / f"{second}.npz").write_bytes((folder / f"{third}.npz").read_bytes())

    with pytest.raises(ArtifactError, match=second):
        promote(folder, second)

    assert (folder / "champion.json").read_bytes() == before


def test_rollback_to_a_damaged_version_is_refused_and_the_champion_stays(folder, versions):
    first, second, _ = versions[1]
    promote(folder, first)
    promote(folder, second)
    before = (folder / "champion.json").read_bytes()
    damage(folder / f"{first}.npz")

    with pytest.raises(ArtifactCorruptError, match=first):
        rollback(folder)

    assert (folder / "champion.json").read_bytes() == before


def test_damaged_champion_is_not_taken_for_none(folder, versions):
    first, *_ = versions[1]
    promote(folder, first)
    damage(folder / f"{first}.npz")

    with pytest.raises(ArtifactCorruptError):
        champion_of(folder)


def test_promotions_at_the_same_time_leave_a_whole_pointer(folder, versions):
    _, names = versions
    promote(folder, names[0])

    def flip(number):
        pointers = []
        for turn in range(10):
            promote(folder, names[(number + turn) % 3])
            pointers.append(read_pointer(folder))
        return pointers

    with ThreadPoolExecutor(8) as pool:
        seen = [pointer for pointers in pool.map(flip, range(8)) for pointer in pointers]

    assert {pointer.version for pointer in seen} <= set(names)
    artifact, pointer = load_champion(folder)
    assert artifact.version == pointer.version
    assert not [path for path in folder.iterdir() if path.suffix == ".tmp"]
