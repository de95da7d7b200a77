"""Waiting for what may never come, such as an answer of a broken disk, and only for so long."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what some work returns, or raise what it raises, if it ends in time.

    The work runs in a thread of its own, which cannot be ended: it goes on where nobody waits for
    it any more. Where no thread can be had, it runs here, without a limit.

    Raises
    ------
    TimeoutError
        If it has not ended in time.
    """
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)

    try:
        Thread(target=run, name="patience", daemon=True).start()
    except RuntimeError:
        run()
    return outcome.result(timeout=seconds)
