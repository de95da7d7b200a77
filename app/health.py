"""GET /health, /health/ready, /health/live and /model: what answers here, and whether it can."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app

from app.config import Settings
from app.drain import DrainingError
from app.run_dir import is_draining
from app.store import ModelStore
from model.card import describe

health = Blueprint("health", __name__)


@health.get("/health")
@health.get("/health/ready")
def ready() -> dict[str, Any]:
    """Say which verified model this process holds; without one it would not have started."""
    settings: Settings = current_app.config["FRAUDSCORE"]
    if is_draining(settings.run_dir):
        raise DrainingError
    return _store().status()


@health.get("/health/live")
def live() -> dict[str, Any]:
    """Say only that this process answers."""
    return {"status": "ok"}


@health.get("/model")
def card() -> dict[str, Any]:
    """Describe the model: features, policy, score table, metrics, training data."""
    champion = _store().current()
    return {**describe(champion.artifact), "promoted_at": champion.promoted_at}


def _store() -> ModelStore:
    """Return the store of the application at hand."""
    store: ModelStore = current_app.extensions["fraudscore"]
    return store
