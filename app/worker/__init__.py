"""The service's own Gunicorn worker: whole requests in, whole answers out.

Follow a connection: ``listener`` → ``connection`` → ``reader`` (``head``, ``chunks``) →
``exchange`` → the application.
"""

from app.worker.loop import LoopWorker

__all__ = ["LoopWorker"]
