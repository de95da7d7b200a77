"""Configurations written as TOML, for tests."""

from training.config_file import load_config


def from_toml(directory, text, overrides=None):
    """Load the configuration of a TOML text."""
    path = directory / "run.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, overrides or {})


def one_setting(key, value):
    """Return TOML that sets one key, given as section.key."""
    section, _, name = key.rpartition(".")
    return f"[{section}]\n{name} = {value}" if section else f"{name} = {value}"
