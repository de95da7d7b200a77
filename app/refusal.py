"""What the worker refuses by itself, before the application has seen a whole request.

A refusal still goes through the application: it travels in the environ, and the layer around the
application raises it. So it gets its request id, its headers, its log line and its place in the
metrics where every other answer gets them.
"""

from __future__ import annotations

REFUSAL = "fraudscore.refusal"


class RefusedError(Exception):
    """A request that the worker will not hand to the application."""

    def __init__(self, status: int, detail: str, *headers: tuple[str, str]) -> None:
        self.status = status
        self.detail = detail
        self.headers = headers
        super().__init__(detail)


def overloaded(detail: str) -> RefusedError:
    """Say that there is too much to do just now, and when to come back."""
    return RefusedError(503, detail, ("Retry-After", "1"))
