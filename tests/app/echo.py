"""A small WSGI application that says what it was given, and can misbehave on request."""

# ruff: noqa: ARG001 (the actions share one signature, whatever they need of it)
import json
import logging
import os
import signal
import time
from pathlib import Path
from urllib.parse import parse_qs
from wsgiref.validate import validator

from app import create_app
from app.access.forwarded import Forwarding
from app.access.mount import Mount
from app.layer import RequestLayer
from tests.app.gunicorn import DEADLINE_S

TYPE = ("Content-Type", "application/json")


def told(environ, start_response):
    """Answer by path; any path that is not below answers with the environ."""
    query = {key: values[0] for key, values in parse_qs(environ["QUERY_STRING"]).items()}
    action = {"/large": large, "/hold": hold, "/raise": fail, "/write": write, "/parts": parts}
    headers = [TYPE, ("X-Pid", str(os.getpid()))]
    return action.get(environ["PATH_INFO"], echo)(environ, start_response, headers, query)


def echo(environ, start_response, headers, query):
    """Answer with the environ; headers come from the query: ?Name=value."""
    body = environ["wsgi.input"].read(-1)
    shown = {key: value for key, value in environ.items() if isinstance(value, str | bool)}
    shown |= {"body": body.decode("latin-1"), "is_same": body == environ.get("fraudscore.body")}
    start_response("200 OK", [*headers, *query.items()])
    return [json.dumps(shown).encode()]


def large(environ, start_response, headers, query):
    """Answer with as many bytes as asked for."""
    start_response("200 OK", headers)
    return [b"x" * int(query["bytes"])]


def hold(environ, start_response, headers, query):
    """Hold the thread until a file exists or, without the name of one, until the worker shall stop.

    The log says that it is held. However slow the machine is, the test decides when it ends.
    """
    logging.getLogger(__name__).info("held")
    if "until" in query:
        wait_for(Path(query["until"]).exists)
    else:
        stopped = []
        before = signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
        wait_for(lambda: stopped)
        signal.signal(signal.SIGTERM, before)  # the event loop has been told all the same
    start_response("200 OK", headers)
    return [b"{}"]


def wait_for(condition):
    """Wait until a condition holds, or for as long as a test may last."""
    give_up_at = time.monotonic() + DEADLINE_S
    while not condition() and time.monotonic() < give_up_at:
        time.sleep(0.01)


def fail(environ, start_response, headers, query):
    """Let an exception out."""
    raise RuntimeError("as asked for, with a secret")


def write(environ, start_response, headers, query):
    """Use the old way of answering, after a change of mind."""
    start_response("200 OK", headers)
    try:
        raise ValueError
    except ValueError as error:
        out = start_response("202 Accepted", headers, (ValueError, error, error.__traceback__))
    out(b"first,")
    return [b"second"]


def parts(environ, start_response, headers, query):
    """Answer in pieces."""
    start_response("204 No Content" if "none" in query else "200 OK", headers)
    return (piece for piece in (b"one,", b"", b"two"))


def application():
    """Return the service with this application in place of Flask's part."""
    return _inside_the_layer(told)


def validated():
    """Return the same with the checks of the standard library around it."""
    return _inside_the_layer(validator(told))


def _inside_the_layer(answering):
    app = create_app()
    observer = app.extensions["fraudscore.observer"]
    forwarding = Forwarding(app.config["FRAUDSCORE"].trusted_proxies)
    app.wsgi_app = RequestLayer(answering, {}, forwarding, Mount(""), None, observer)
    return app
