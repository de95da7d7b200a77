"""Where a configuration comes from: a recipe, then a TOML file, then the command line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from math import inf
from pathlib import Path
from re import fullmatch
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from model.errors import ConfigurationError
from training.config import RunConfig

RECIPES: dict[str, dict[str, Any]] = {
    "default": {},
    "textbook": {
        "split": {"validation": "holdout"},
        "network": {"layers": [16, 16], "members": 1, "n_bins": 0, "drop_probability": 0.0},
        "learning": {
            "optimizer": "sgd",
            "learning_rate": 0.01,
            "schedule": "constant",
            "warmup": 0.0,
            "epochs": 50,
            "batch_size": 64,
            "class_weight": 1.0,
            "patience": 0,
        },
    },
}


def load_config(path: Path | None, overrides: Mapping[str, Any]) -> RunConfig:
    """Build the configuration: recipe, then file, then overrides; the later wins.

    Parameters
    ----------
    path : Path, optional
        TOML with the keys of :class:`RunConfig` and a table for each part.
    overrides : mapping
        The same shape as the file, from the command line.

    Raises
    ------
    ConfigurationError
        For a missing or unreadable file, unknown keys and values of the wrong type.
    """
    facts: dict[str, Any] = {}
    if path is not None:
        try:
            facts = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"{path}: {error}") from None
    facts = _merged(facts, overrides)
    recipe = facts.get("recipe", "default")
    # one that is unknown, or no text at all, is refused below like any other value
    below = RECIPES.get(recipe, {}) if isinstance(recipe, str) else {}
    return _build(RunConfig, _merged(below, facts), "")


def to_toml(config: RunConfig) -> str:
    """Return a configuration as TOML that :func:`load_config` reads back as it is."""
    return "".join(_toml_lines(config.to_dict(), ""))


def _toml_lines(table: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield the lines of a table; what is not set is left out, as TOML has no word for it."""
    plain = {k: v for k, v in table.items() if v is not None and not isinstance(v, Mapping)}
    if plain and name:
        yield f"\n[{name}]\n"
    yield from (f"{_toml_key(key)} = {_toml(value)}\n" for key, value in plain.items())
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _toml_lines(value, f"{name}.{_toml_key(key)}" if name else key)


def _toml_key(key: str) -> str:
    return key if fullmatch("[A-Za-z0-9_-]+", key) else _toml(key)


def _toml(value: Any) -> str:
    if isinstance(value, str):  # a TOML string is a JSON string, but for the delete character
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return repr(value)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = value
    return merged


def _build(cls: type[Any], facts: Mapping[str, Any], where: str) -> Any:
    hints = get_type_hints(cls)
    known = {part.name for part in fields(cls)}
    for key in facts:
        if key not in known:
            raise ConfigurationError(
                f"unknown key {where + key!r}; known: {', '.join(sorted(known))}"
            )
    values = {key: _value(hints[key], value, where + key) for key, value in facts.items()}
    try:
        return cls(**values)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where.rstrip('.')}: {error}" if where else str(error)) from None


def _value(kind: Any, value: Any, where: str) -> Any:
    """Return the value as the annotated type says, or refuse it."""
    if hasattr(kind, "__dataclass_fields__") and isinstance(value, Mapping):
        return _build(kind, value, f"{where}.")
    options = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    for option in options:
        origin = get_origin(option)
        if origin is Literal and value in get_args(option):
            return value
        if origin is tuple and isinstance(value, list | tuple):
            return tuple(_value(get_args(option)[0], part, where) for part in value)
        if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
            if isinstance(value, Mapping):
                return dict(value)
            continue
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:  # more than 308 digits: refused as infinity is
                return inf if value > 0 else -inf
        if isinstance(option, type) and origin is None and type(value) is option:
            return value
    expected = " or ".join(str(getattr(o, "__name__", o)) for o in options)
    if get_origin(kind) is Literal:
        expected = " or ".join(map(repr, get_args(kind)))
    raise ConfigurationError(f"{where} must be {expected}, got {value!r}")
