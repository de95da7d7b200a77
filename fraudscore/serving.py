"""Gunicorn with the configuration of the service, whatever the working folder is."""

from __future__ import annotations

import os
from pathlib import Path

import click
from gunicorn.app.wsgiapp import WSGIApplication

import app

CONFIGURATION = Path(app.__file__).resolve().parents[1] / "gunicorn.conf.py"


class Service(WSGIApplication):
    """Gunicorn, which here reads its own file and no options of its own.

    It runs in this process: what Gunicorn starts anew at an upgrade is the command that was typed.
    """

    def load_config(self) -> None:
        """Read the configuration of the service."""
        self.load_config_from_file(str(CONFIGURATION))
        self.app_uri = self.cfg.wsgi_app


@click.command()
@click.option("--model", metavar="FOLDER", help="Instead of FRAUDSCORE_MODEL_DIR.")
@click.option("--port", metavar="N", help="Instead of PORT, which is 8000 unless set.")
def serve(model: str | None, port: str | None) -> None:
    """Serve a model over HTTP; the settings are environment variables."""
    for name, value in (("FRAUDSCORE_MODEL_DIR", model), ("PORT", port)):
        if value is not None:
            os.environ[name] = value
    Service().run()
