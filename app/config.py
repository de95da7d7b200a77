"""Settings of the service: environment variables named FRAUDSCORE_…, checked once at start."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from model.errors import ConfigurationError

PREFIX = "FRAUDSCORE_"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
OPENABLE_ROUTES = ("/metrics", "/docs", "/openapi.json", "/model")

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
    lane: bool = True
    keys_file: Path | None = None
    open_routes: tuple[str, ...] = ()
    rate_limit: str | None = None
    redis_url: str | None = field(default=None, repr=False)  # may hold a password
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    model_poll_seconds: float = 2
    drain_seconds: float = 15
    run_dir: Path | None = None  # gunicorn.conf.py gives it to its workers

    def __post_init__(self) -> None:
        """Refuse values that cannot work, naming the variable."""
        _check_range("MAX_ROWS", self.max_rows, 1, 1_000_000)
        _check_range("MAX_BODY_BYTES", self.max_body_bytes, 1024, 1024**3)
        for route in self.open_routes:
            if route not in OPENABLE_ROUTES:
                names = ", ".join(OPENABLE_ROUTES)
                raise ConfigurationError(f"{PREFIX}OPEN_ROUTES must be of {names}, not {route!r}")
        _check_range("MODEL_POLL_SECONDS", self.model_poll_seconds, 0.01, 3600)
        _check_range("DRAIN_SECONDS", self.drain_seconds, 0, 3600)
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
    if name in ("MODEL_DIR", "RUN_DIR"):
        if not isinstance(value, str | Path) or not str(value):
            raise ConfigurationError(f"{PREFIX}{name} must name a folder")
        return Path(value)
    if name == "KEYS_FILE":
        if not isinstance(value, str | Path) or not str(value):
            raise ConfigurationError(f"{PREFIX}{name} must name a file")
        return Path(value)
    if name in ("RATE_LIMIT", "REDIS_URL"):
        return str(value)
    if name == "OPEN_ROUTES":
        return _parse_list(value)
    if name == "TRUSTED_PROXIES":
        return tuple(_parse_network(name, text) for text in _parse_list(value))
    if name == "LOG_LEVEL":
        return str(value).upper()
    if name == "LANE":
        return _parse_switch(name, value)
    if name.endswith("_SECONDS"):
        return _parse_seconds(name, value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ConfigurationError(f"{PREFIX}{name} must be a whole number, not {value!r}")


def _parse_switch(name: str, value: object) -> bool:
    """Read a setting that is on or off."""
    if isinstance(value, bool):
        return value
    if value not in ("on", "off"):
        raise ConfigurationError(f"{PREFIX}{name} must be on or off, not {value!r}")
    return value == "on"


def _parse_list(value: object) -> tuple[str, ...]:
    """Read a setting of several values, which commas separate."""
    return tuple(item.strip() for item in str(value).split(",") if item.strip())


def _parse_network(name: str, text: str) -> IPv4Network | IPv6Network:
    """Read an address or a network of them."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ConfigurationError(
            f"{PREFIX}{name} must hold addresses or networks such as 10.0.0.0/8, not {text!r}"
        ) from None


def _parse_seconds(name: str, value: object) -> float:
    """Read a setting that is a time; fractions are allowed."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ConfigurationError(f"{PREFIX}{name} must be a number of seconds, not {value!r}")


def _check_range(name: str, value: float, lowest: float, highest: float) -> None:
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
