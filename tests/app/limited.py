"""Helpers for tests of rate limits."""

from app.access.rate_limit import RateLimited


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def passes(limits, client="a"):
    """Return whether one more request of a client passes."""
    try:
        limits.count("address", client)
    except RateLimited:
        return False
    return True
