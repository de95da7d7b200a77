"""The service: HTTP in, JSON out.

This package may import ``model``, never ``training``. Read ``create_app`` first, then follow a
request: ``layer`` → ``scoring`` → ``intake`` → ``answer`` → ``schemas`` → ``model.scorer`` → back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from flask import Flask, request
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from werkzeug.exceptions import NotFound

from app import errors, telemetry
from app.access.forwarded import Forwarding
from app.access.gate import Gate, gate_of
from app.access.mount import Mount
from app.config import Settings
from app.documentation.docs import docs
from app.effort import effort_of
from app.health import health
from app.json_provider import StrictJSONProvider
from app.layer import RequestLayer
from app.observability.exposition import exposition
from app.observability.observer import Observer
from app.observability.request_log import RequestLog
from app.observability.starts import Starts
from app.observability.tracing import tracing_for
from app.patience import within
from app.record import current_record
from app.scoring import scoring, scoring_lane
from app.store import ModelStore
from app.watch import watch
from model.errors import FraudscoreError
from model.printable import one_line

START_SECONDS = 60.0  # a broken disk would otherwise hold a start up for ever, without a word


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Assemble the application; ``config`` overrides the environment, by short names."""
    settings = Settings.load(os.environ, config or {})
    telemetry.open_log(settings.log_level)

    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["FRAUDSCORE"] = settings
    app.url_map.merge_slashes = False  # //predict does not exist; a redirect would lose the body

    app.json = StrictJSONProvider(app)
    store = ModelStore(settings.model_dir, settings.max_rows)
    lane = scoring_lane(store, settings.max_body_bytes)
    gate = gate_of(settings)
    log = RequestLog(settings.log_level)
    observer = Observer(store, gate, log, settings.run_dir, tracing_for(os.environ))
    app.extensions |= {
        "fraudscore": store,
        "fraudscore.gate": gate,
        "fraudscore.lane": lane,
        "fraudscore.takes_long": effort_of(store),
        "fraudscore.observer": observer,
    }

    errors.init_app(app)
    app.before_request(refuse_extra_slashes)
    app.before_request(note_route)

    app.register_blueprint(scoring)
    app.register_blueprint(health)
    app.register_blueprint(docs)
    app.register_blueprint(exposition)

    shortcuts = lane if settings.lane else {}
    forwarding = Forwarding(settings.trusted_proxies)
    mount = Mount(settings.mount_path)
    app.wsgi_app = RequestLayer(  # type: ignore[method-assign]
        app.wsgi_app, shortcuts, forwarding, mount, gate, observer
    )
    return app


def wsgi() -> Flask:
    """Build the application for a server; a start that cannot succeed ends in one line."""
    try:
        return within(START_SECONDS, create_app)
    except TimeoutError:
        problem = f"the model, or another file, has not been read within {START_SECONDS:g} s"
    except FraudscoreError as error:
        problem = one_line(str(error))
    print(f"fraudscore cannot start: {problem}", file=sys.stderr)  # noqa: T201
    sys.exit(Arbiter.APP_LOAD_ERROR)  # which Gunicorn takes from a worker as a reason to stop


def begin_worker(app: Flask, starts: Starts | None = None) -> None:
    """Start what a worker does beside answering; after the fork, which no thread survives.

    Where no thread can be had, the worker ends in one line, and the master tries again.
    """
    settings: Settings = app.config["FRAUDSCORE"]
    gate: Gate | None = app.extensions["fraudscore.gate"]
    try:
        watch(app.extensions["fraudscore"], settings.model_poll_seconds)
        if gate is not None:
            gate.open()
        app.extensions["fraudscore.observer"].open(starts)
    except (RuntimeError, OSError) as error:
        print(f"fraudscore: a worker cannot start: {one_line(str(error))}", file=sys.stderr)  # noqa: T201
        sys.exit(Arbiter.WORKER_BOOT_ERROR)


def refuse_extra_slashes() -> None:
    """Find nothing at //predict; the router alone would take it for /predict."""
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound


def note_route() -> None:
    """Log the rule that matched, never the path, which is the client's to invent."""
    rule = request.url_rule
    current_record(request.environ).route = rule.rule if rule else None
