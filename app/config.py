"""Settings of the service: environment variables named FRAUDSCORE_…, checked once at start."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from app import setting_types as read
from model.errors import ConfigurationError
from model.shipped import DEFAULT_MODEL

PREFIX = "FRAUDSCORE_"

# Kubernetes describes every service of the namespace to every container. One that is called
# "fraudscore" would otherwise stop the start with names such as FRAUDSCORE_SERVICE_HOST.
_SERVICE_LINK = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_\w+)?)")


def setting(reader: Callable[[object], Any], default: Any, **options: Any) -> Any:
    """Declare a setting: how it is read, and what it is unless given."""
    return field(default=default, metadata={"reader": reader}, **options)


@dataclass(frozen=True)
class Settings:
    """What an operator may decide; everything else belongs to the artifact."""

    model_dir: Path = setting(read.path, DEFAULT_MODEL)
    max_rows: int = setting(read.whole_number(1, 1_000_000), 10_000)
    max_body_bytes: int = setting(read.whole_number(1024, 1024**3), 16 * 1024 * 1024)
    log_level: str = setting(read.one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
    lane: bool = setting(read.switch, True)
    keys_file: Path | None = setting(read.path, None)
    open_routes: tuple[str, ...] = setting(
        read.some_of("/metrics", "/docs", "/openapi.json", "/model"), ()
    )
    rate_limit: str | None = setting(str, None)
    redis_url: str | None = setting(str, None, repr=False)  # may hold a password
    trusted_proxies: tuple[read.Network, ...] = setting(read.networks, ())
    mount_path: str = setting(read.mount_path, "")
    model_poll_seconds: float = setting(read.seconds(0.01, 3600), 2)
    drain_seconds: float = setting(read.seconds(0, 3600), 15)
    run_dir: Path | None = setting(read.path, None)  # gunicorn.conf.py gives it to its workers
    worker: str = setting(read.one_of("loop", "gthread"), "loop")
    head_timeout: float = setting(read.seconds(1, 3600), 10)
    body_timeout: float = setting(read.seconds(1, 3600), 30)
    answer_timeout: float = setting(read.seconds(1, 3600), 30)

    @classmethod
    def load(cls, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Settings:
        """Read the settings from the environment, then from the caller, who uses short names."""
        given: dict[str, object] = {
            name.removeprefix(PREFIX): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and not _SERVICE_LINK.fullmatch(name.removeprefix(PREFIX))
        }
        known = {field.name.upper(): field for field in fields(cls)}
        values = {}
        for name, value in {**given, **overrides}.items():
            if name not in known:
                raise ConfigurationError(_unknown(name, list(known)))
            try:
                values[known[name].name] = known[name].metadata["reader"](value)
            except ValueError as error:
                raise ConfigurationError(f"{PREFIX}{name} {error}") from None
        return cls(**values)


def _unknown(name: str, known: list[str]) -> str:
    """Say which setting does not exist and which one was probably meant."""
    close = difflib.get_close_matches(name, known, n=1)
    names = ", ".join(PREFIX + other for other in known)
    hint = f"did you mean {PREFIX}{close[0]}?" if close else f"the settings are {names}"
    return f"{PREFIX}{name} is not a setting: {hint}"
