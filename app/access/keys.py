"""API keys: who may use the service, kept as hashes in one file that may change while it runs.

The file is JSON: ``{"keys": {NAME: {"sha256": HEX, "created": TIME}}}``. A key holds 256 random
bits, so its plain SHA-256 is enough: slow and salted hashes protect passwords that people choose,
because those can be guessed. Nobody guesses 256 bits, and every request would pay for the slowness.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from marshmallow import Schema, ValidationError, fields, validate

from app.json_provider import MalformedJSONError, dumps, loads
from app.patience import within
from model.errors import ConfigurationError
from model.files import read_regular, write_atomically

logger = logging.getLogger(__name__)

PREFIX = "fraudscore_"  # lets secret scanners find a key that was published by mistake
LOOK_AGAIN_S = 1.0
# A request waits this long for a look at the file; from then on the keys at hand serve until it
# ends. A file on a broken disk thus holds up a request a second for a moment, and no more.
LOOK_S = 0.02
NAME = r"[A-Za-z0-9._-]{1,64}"  # safe in log lines and metric labels
_LARGEST_FILE = 1024 * 1024


@dataclass(frozen=True)
class APIKey:
    """What is kept of a key; the key itself is shown once, to the one who made it."""

    name: str
    sha256: bytes
    created: datetime

    @classmethod
    def generate(cls, name: str) -> tuple[APIKey, str]:
        """Return a new key as it is kept, and the secret itself."""
        secret = PREFIX + secrets.token_urlsafe(32)
        return cls(name, digest(secret), datetime.now(UTC).replace(microsecond=0)), secret


class _Entry(Schema):
    """One key of the file."""

    sha256 = fields.String(required=True, validate=validate.Regexp(r"[0-9a-f]{64}\Z"))
    created = fields.AwareDateTime(required=True, format="iso")


class _KeysFile(Schema):
    """The whole file; unknown names are refused, since a misspelt one would be a rule ignored."""

    keys = fields.Dict(
        keys=fields.String(validate=validate.Regexp(rf"{NAME}\Z")),
        values=fields.Nested(_Entry),
        required=True,
    )


def digest(secret: str) -> bytes:
    """Return what is kept of a secret; anything that a header can hold has a digest."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def read_keys(path: Path) -> tuple[APIKey, ...]:
    """Read the keys of a file, or say in one line why that cannot be done."""
    try:
        entries = _KeysFile().load(loads(read_regular(path, _LARGEST_FILE)))["keys"]
    except OSError as error:
        raise ConfigurationError(f"the keys file {path} cannot be read: {error.strerror}") from None
    except MalformedJSONError:
        raise ConfigurationError(f"the keys file {path} is not JSON") from None
    except ValidationError:  # its messages could repeat what somebody wrote there by mistake
        raise ConfigurationError(f"the keys file {path} does not have the form of one") from None
    return tuple(
        APIKey(name, bytes.fromhex(entry["sha256"]), entry["created"])
        for name, entry in entries.items()
    )


def write_keys(path: Path, keys: tuple[APIKey, ...]) -> None:
    """Replace the file at once, readable by its owner alone; the owner stays who it was."""
    entries = {
        key.name: {"sha256": key.sha256.hex(), "created": key.created.isoformat()} for key in keys
    }
    owner = path.stat() if path.exists() else None
    write_atomically(path, dumps({"keys": entries}) + b"\n", mode=0o600)
    if owner and os.geteuid() == 0:  # the service would lose sight of what the administrator wrote
        os.chown(path, owner.st_uid, owner.st_gid)


class KeyRing:
    """The keys of a file, looked at again about once a second.

    A file that cannot be read any more leaves the last good keys in force: it neither opens the
    door nor locks everyone out.
    """

    def __init__(self, path: Path) -> None:
        self._problem: str | None = None
        self._is_late = False
        self._path = path
        self._seen = self._signature()
        self._keys = read_keys(path)
        self._look_again = monotonic() + LOOK_AGAIN_S
        self._reading = threading.Lock()

    @property
    def problem(self) -> str | None:
        """Return why the keys may be those of an earlier state of the file."""
        if self._is_late:
            return f"the keys file {self._path} has not been read yet"
        return self._problem

    def name_of(self, secret: str) -> str | None:
        """Return the name of a key, None where it is none of ours."""
        if monotonic() >= self._look_again:
            self._look_again = monotonic() + LOOK_AGAIN_S
            try:
                within(LOOK_S, self._refresh)
            except TimeoutError:
                self._is_late = True
        given = digest(secret)
        found = None
        for key in self._keys:  # all of them: how long it takes must not tell which one is close
            if hmac.compare_digest(key.sha256, given):
                found = key.name
        return found

    def _refresh(self) -> None:
        """Read the file again if it is not the one read before."""
        if not self._reading.acquire(blocking=False):
            return  # another thread is at it
        try:
            signature = self._signature()
            if signature != self._seen:
                self._seen = signature
                self._read()
        finally:
            self._is_late = False
            self._reading.release()

    def _read(self) -> None:
        """Take the keys of a changed file, or keep those at hand and say why."""
        try:
            self._keys = read_keys(self._path)
        except ConfigurationError as error:
            self._problem = str(error)
            logger.error("%s; the last good keys stay in force", error)
        else:
            self._problem = None
            logger.info("API keys read: %s", ", ".join(key.name for key in self._keys) or "none")

    def _signature(self) -> tuple[int, int, int] | None:
        """Return what changes whenever the file does; None where there is none to look at."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
