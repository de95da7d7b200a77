"""The champion's pointer: read, written, replaced, and never half."""

import errno
import json
import os

import pytest

from model.errors import ArtifactCorruptError, ArtifactError, ArtifactNotFoundError
from model.pointer import FILE_NAME, Pointer, load_champion, read_pointer, write_pointer
from tests.factories import save_tiny, write_tiny_artifact

POINTER = Pointer("3f9c2a7e51d0", "ab" * 32, "0123456789ab", "2026-01-01T00:00:00+00:00")
FIRST = Pointer("3f9c2a7e51d0", "ab" * 32, None, "2026-01-01T00:00:00+00:00")


@pytest.mark.parametrize("pointer", [POINTER, FIRST])
def test_pointer_is_read_as_it_was_written(pointer, tmp_path):
    write_pointer(tmp_path / "name", pointer)

    assert read_pointer(tmp_path / "name") == read_pointer(str(tmp_path / "name")) == pointer
    assert os.listdir(tmp_path / "name") == [FILE_NAME]


def test_pointer_is_four_facts_in_json(tmp_path):
    write_pointer(tmp_path, POINTER)

    text = (tmp_path / "champion.json").read_text()

    assert json.loads(text) == {
        "version": "3f9c2a7e51d0",
        "sha256": "ab" * 32,
        "previous": "0123456789ab",
        "promoted_at": "2026-01-01T00:00:00+00:00",
    }
    assert text.endswith("}\n")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_old_pointer_survives_a_failing_system_call(call, tmp_path, monkeypatch):
    write_pointer(tmp_path, FIRST)

    def fail(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        write_pointer(tmp_path, POINTER)

    assert read_pointer(tmp_path) == FIRST
    assert os.listdir(tmp_path) == [FILE_NAME]


def refusal(kind, read, directory):
    """Return the reason for which a pointer is refused, by exactly this kind of error."""
    with pytest.raises(ArtifactError) as caught:
        read(directory)
    assert type(caught.value) is kind
    assert str(directory) in caught.value.path
    return caught.value.reason


def test_folder_without_a_pointer(tmp_path):
    for directory in (tmp_path, tmp_path / "nothing"):
        reason = refusal(ArtifactNotFoundError, read_pointer, directory)

        assert reason == "no model has been promoted here"


def test_pointer_that_is_a_folder(tmp_path):
    (tmp_path / FILE_NAME).mkdir()

    assert "cannot be read" in refusal(ArtifactNotFoundError, read_pointer, tmp_path)


FACTS = json.loads(
    '{"version": "3f9c", "sha256": "ab", "previous": null, "promoted_at": "2026-01-01"}'
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"3f9c2a7e51d0"',
        b"\xff",
        b"[" * 60_000,
        json.dumps(FACTS).replace('"version"', '"version": "3f9d", "version"').encode(),
        json.dumps(FACTS).replace("null", "NaN").encode(),
        *(
            json.dumps(FACTS | changes).encode()
            for changes in (
                {"colour": "red"},
                {"version": 5},
                {"version": ""},
                {"version": "../3f9c"},
                {"version": None},
                {"sha256": None},
                {"promoted_at": 2026},
                {"promoted_at": "yesterday"},
                {"previous": 0},
                {"previous": ""},
                {"previous": "../../etc/3f9c"},
            )
        ),
        *(
            json.dumps({key: fact for key, fact in FACTS.items() if key != missing}).encode()
            for missing in FACTS
        ),
    ],
)
def test_pointer_that_is_not_what_we_write(content, tmp_path):
    (tmp_path / FILE_NAME).write_bytes(content)

    assert refusal(ArtifactCorruptError, read_pointer, tmp_path) == "not a champion pointer"


def test_pointer_of_these_facts_is_sound(tmp_path):
    (tmp_path / FILE_NAME).write_text(json.dumps(FACTS))

    assert read_pointer(tmp_path).version == "3f9c"


def test_champion_is_the_version_that_the_pointer_names(tmp_path):
    path = write_tiny_artifact(tmp_path)
    save_tiny(tmp_path, seed=1)

    artifact, pointer = load_champion(str(tmp_path))

    assert artifact.path == path
    assert (artifact.version, artifact.sha256) == (pointer.version, pointer.sha256)


def test_champion_that_is_not_there(tmp_path):
    write_pointer(tmp_path, FIRST)

    assert refusal(ArtifactNotFoundError, load_champion, tmp_path) == "no such artifact"


def test_champion_whose_file_is_not_the_one_promoted(tmp_path):
    write_tiny_artifact(tmp_path)
    pointer = read_pointer(tmp_path)
    write_pointer(tmp_path, Pointer(pointer.version, "ab" * 32, None, pointer.promoted_at))

    reason = refusal(ArtifactCorruptError, load_champion, tmp_path)

    assert reason == f"its SHA-256 is {pointer.sha256}, not {'ab' * 32} as promoted"
