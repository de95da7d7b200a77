"""How many connections a worker takes, as many as it has file descriptors for."""

from __future__ import annotations

import resource
from dataclasses import dataclass

# Besides its connections a worker holds listening sockets, pipes, files of the log and the model.
_OTHER_FILES = 32
# Connections that are being refused may be this many, or this part of all where files are scarce.
_MOST_REFUSED = 128
_REFUSED_PART = 8
# With fewer files than this for connections a service is of no use.
_FEWEST = 16


@dataclass(frozen=True)
class Places:
    """For how many connections there is a place."""

    served: int
    refused: int  # beyond those, only to be told that there are too many

    @property
    def total(self) -> int:
        """Return how many connections there may be at once."""
        return self.served + self.refused


def find_places(wanted: int) -> Places:
    """Return what the limit of open files allows, at most the connections that are wanted."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY or files >= files_for(wanted):
        return Places(wanted, _MOST_REFUSED)
    total = files - _OTHER_FILES
    refused = min(_MOST_REFUSED, max(1, total // _REFUSED_PART))
    return Places(min(wanted, total - refused), refused)


def files_for(connections: int) -> int:
    """Return how many open files a worker with so many connections needs."""
    return connections + _MOST_REFUSED + _OTHER_FILES


def allow_files(wanted: int, n_workers: int) -> None:
    """Raise the limit of open files as far as needed and possible, for this process and its forks.

    Raises OSError where too few are possible.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < files_for(wanted):
        most = files_for(wanted) if hard == resource.RLIM_INFINITY else min(files_for(wanted), hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        # The master holds a file for each worker.
        least = _OTHER_FILES + max(_FEWEST, n_workers)
        if most < least:
            raise OSError(
                f"the limit of open files is {most} and cannot be raised; at least {least}"
                " are needed (ulimit -n, LimitNOFILE)"
            )
