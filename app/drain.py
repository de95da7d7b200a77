"""Leaving a load balancer before stopping: not ready, but still scoring."""

from __future__ import annotations

import time
from pathlib import Path

from app import run_dir
from model.errors import ConfigurationError, FraudscoreError


class DrainingError(FraudscoreError):
    """New traffic should go elsewhere; what comes nevertheless is answered."""

    def __init__(self) -> None:
        super().__init__("draining: this service is about to stop and takes no new traffic")


def drain(directory: Path, seconds: float) -> None:
    """Make every worker unready, and wait until no balancer sends anything any more."""
    _check(directory)
    run_dir.drain(directory)
    time.sleep(seconds)


def undrain(directory: Path) -> None:
    """Call a drain off."""
    _check(directory)
    run_dir.resume(directory)


def _check(directory: Path) -> None:
    """Refuse a run directory in which nothing runs."""
    if not run_dir.is_used(directory):
        raise ConfigurationError(f"no service runs in {directory}")
