"""Where the service is mounted: the part of an address that comes before its own routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.access.forwarded import PREFIX
from app.refusal import RefusedError
from app.setting_types import mount_path

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Mount:
    """Splits paths as WSGI has it: ``SCRIPT_NAME`` is the mount path, ``PATH_INFO`` what follows.

    This is done here and not by the server, so that every worker does the same.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def apply(self, environ: WSGIEnvironment) -> bool:
        """Split the path of a request; return whether it lies below the mount path.

        A trusted proxy says in X-Forwarded-Prefix what it has removed from the path, which then
        counts instead of the setting. Not every proxy that says so has removed it.
        """
        forwarded = _forwarded(environ)
        mounted = forwarded or self._path
        if not mounted:
            return True
        path = environ["PATH_INFO"]
        if path.startswith(f"{mounted}/"):
            environ["PATH_INFO"] = path[len(mounted) :]
        elif not forwarded:
            if path != mounted:
                return False
            environ["PATH_INFO"] = "/"
        environ["SCRIPT_NAME"] = mounted
        return True


def _forwarded(environ: WSGIEnvironment) -> str:
    """Return what the nearest proxy says that it has removed."""
    prefix = environ.get(PREFIX)
    if not prefix:
        return ""
    try:
        return mount_path(prefix)
    except ValueError:
        raise RefusedError(400, "X-Forwarded-Prefix must be a path such as /fraud.") from None
