"""One thread in each worker that looks for a new champion, again and again."""

from __future__ import annotations

import random
import time
from threading import Thread

from app.pace import paced
from app.store import ModelStore


def watch(store: ModelStore, seconds: float) -> None:
    """Bring the store of a new worker up to date, then keep it so.

    Called after the fork: threads do not survive one, and the master, which serves nobody, needs
    none.
    """
    store.take_up()
    Thread(target=_look, args=(store, seconds), name="champion", daemon=True).start()


def _look(store: ModelStore, seconds: float) -> None:
    """Refresh the store for as long as the process lives."""
    time.sleep(seconds * random.random())  # nosec B311 # noqa: S311 (so that workers do not all load at once)
    while True:
        time.sleep(seconds)
        store.refresh(paced)
