"""The threads of a worker that look for a new champion, again and again."""

from __future__ import annotations

import random
import time
from threading import Event, Thread

from app import store as stores
from app.pace import paced
from app.store import ModelStore

_TELL_SECONDS = 1.0


def watch(store: ModelStore, seconds: float) -> None:
    """Bring the store of a new worker up to date, then keep it so.

    Called after the fork: threads do not survive one, and the master, which serves nobody, needs
    none. Disks may hang: where the first look takes too long the worker begins with the model that
    the master verified, and takes the champion up when it can be read. One thread looks; the other
    tells when that takes too long.

    Raises
    ------
    RuntimeError
        If no thread can be had.
    """
    has_looked = Event()
    Thread(target=_look, args=(store, seconds, has_looked), name="champion", daemon=True).start()
    Thread(target=_tell, args=(store,), name="champion-delay", daemon=True).start()
    has_looked.wait(stores.PATIENCE_SECONDS)


def _look(store: ModelStore, seconds: float, has_looked: Event) -> None:
    """Refresh the store for as long as the process lives."""
    store.take_up()
    has_looked.set()
    time.sleep(seconds * random.random())  # nosec B311 # noqa: S311 (so that workers do not all load at once)
    while True:
        time.sleep(seconds)
        store.refresh(paced)


def _tell(store: ModelStore) -> None:
    """Say when a look takes too long."""
    while True:
        time.sleep(_TELL_SECONDS)
        store.tell_delay()
