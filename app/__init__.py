"""The service: HTTP in, JSON out.

This package may import ``model``, never ``training``. Read ``create_app`` first, then follow a
request: ``scoring`` → ``intake`` → ``answer`` → ``schemas`` → ``model.scorer`` → back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from flask import Flask, request

from app import errors, telemetry
from app.config import Settings
from app.docs import docs
from app.health import health
from app.intake import check_host
from app.json_provider import StrictJSONProvider
from app.scoring import scoring
from app.store import ModelStore
from model.errors import FraudscoreError


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Assemble the application; ``config`` overrides the environment, by short names."""
    settings = Settings.load(os.environ, config or {})

    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.merge_slashes = False  # //predict does not exist; a redirect would lose the body

    app.json = StrictJSONProvider(app)
    app.extensions["fraudscore"] = ModelStore(settings.model_dir, settings.max_rows)

    telemetry.init_app(app, settings.log_level)
    errors.init_app(app)
    app.before_request(lambda: check_host(request.environ))

    app.register_blueprint(scoring)
    app.register_blueprint(health)
    app.register_blueprint(docs)
    return app


def wsgi() -> Flask:
    """Build the application for a server; a start that cannot succeed ends in one line."""
    try:
        return create_app()
    except FraudscoreError as error:
        sys.exit(f"fraudscore cannot start: {' '.join(str(error).split())}")
