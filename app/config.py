"""Settings of the service: environment variables named FRAUDSCORE_…, checked once at start."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from model.errors import ConfigurationError

PREFIX = "FRAUDSCORE_"
WORKERS = ("loop", "gthread")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

# Kubernetes describes every service of the namespace to every container. One that is called
# "fraudscore" would otherwise stop the start with names such as FRAUDSCORE_SERVICE_HOST.
_SERVICE_LINK = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_\w+)?)")


@dataclass(frozen=True)
class Settings:
    """What an operator may decide; everything else belongs to the artifact."""

    model_dir: Path = Path("artifacts/creditcard")
    max_rows: int = 10_000
    max_body_bytes: int = 16 * 1024 * 1024
    log_level: str = "INFO"
    worker: str = "loop"
    head_timeout: int = 10
    body_timeout: int = 30
    answer_timeout: int = 30

    def __post_init__(self) -> None:
        """Refuse values that cannot work, naming the variable."""
        _check_range("MAX_ROWS", self.max_rows, 1, 1_000_000)
        _check_range("MAX_BODY_BYTES", self.max_body_bytes, 1024, 1024**3)
        for name in ("head_timeout", "body_timeout", "answer_timeout"):
            _check_range(name.upper(), getattr(self, name), 1, 3600)
        if self.worker not in WORKERS:
            raise ConfigurationError(
                f"{PREFIX}WORKER must be one of {', '.join(WORKERS)}, not {self.worker!r}"
            )
        if self.log_level not in LOG_LEVELS:
            raise ConfigurationError(
                f"{PREFIX}LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {self.log_level!r}"
            )

    @classmethod
    def load(cls, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Settings:
        """Read the settings from the environment, then from the caller, who uses short names."""
        given: dict[str, object] = {
            name.removeprefix(PREFIX): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and not _SERVICE_LINK.fullmatch(name.removeprefix(PREFIX))
        }
        known = [field.name.upper() for field in fields(cls)]
        for name in [*given, *overrides]:
            if name not in known:
                raise ConfigurationError(_unknown(name, known))
        return cls(**{n.lower(): _parse(n, v) for n, v in {**given, **overrides}.items()})  # type: ignore[arg-type]


def _parse(name: str, value: object) -> object:
    """Turn the text of a variable into the type of its setting."""
    if name == "MODEL_DIR":
        if not isinstance(value, str | Path) or not str(value):
            raise ConfigurationError(f"{PREFIX}{name} must name a folder")
        return Path(value)
    if name == "LOG_LEVEL":
        return str(value).upper()
    if name == "WORKER":
        return str(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ConfigurationError(f"{PREFIX}{name} must be a whole number, not {value!r}")


def _check_range(name: str, value: int, lowest: int, highest: int) -> None:
    """Refuse a number outside its range."""
    if not lowest <= value <= highest:
        raise ConfigurationError(
            f"{PREFIX}{name} must lie between {lowest} and {highest}, not {value}"
        )


def _unknown(name: str, known: list[str]) -> str:
    """Say which setting does not exist and which one was probably meant."""
    close = difflib.get_close_matches(name, known, n=1)
    names = ", ".join(PREFIX + other for other in known)
    hint = f"did you mean {PREFIX}{close[0]}?" if close else f"the settings are {names}"
    return f"{PREFIX}{name} is not a setting: {hint}"
