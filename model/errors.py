"""Every error of the product that a caller may want to catch.

::

    FraudscoreError
    ├── ArtifactError(path, reason)
    │   ├── ArtifactNotFoundError      nothing there
    │   ├── ArtifactFormatError        readable, but not what this version can serve
    │   └── ArtifactCorruptError       damaged, tampered with, or scoring differently than it did
    ├── ConfigurationError             an argument that cannot work (also a ValueError)
    ├── FeatureError(problems)         transactions that cannot be scored (also a ValueError)
    ├── NotFittedError(name)           used before it was fitted
    ├── TaskError(task, name)          this artifact holds no such network
    └── TrainingError                  a run that cannot go on; its children live in ``training``

The facts are attributes; the message is derived from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath

Problems = Mapping[int, Mapping[str, list[str]]]


class FraudscoreError(Exception):
    """Base of all errors raised on purpose."""


class ArtifactError(FraudscoreError):
    """An artifact that cannot be served.

    Attributes
    ----------
    path : str
        The file or folder in question.
    reason : str
        What is wrong with it.
    """

    def __init__(self, path: str | PathLike[str], reason: str) -> None:
        self.path = fspath(path)
        self.reason = reason
        super().__init__(f"{self.path}: {reason}")


class ArtifactNotFoundError(ArtifactError):
    """There is no artifact where one was expected."""


class ArtifactFormatError(ArtifactError):
    """The artifact is readable, but not in a form that this version can serve."""


class ArtifactCorruptError(ArtifactError):
    """The artifact is damaged, or scores differently than on the day it was written."""


class ConfigurationError(FraudscoreError, ValueError):
    """An argument or a combination of arguments that cannot work."""


class FeatureError(FraudscoreError, ValueError):
    """Transactions that cannot be scored.

    Attributes
    ----------
    problems : mapping
        Row number → feature name → messages; all problems at once, not only the first.
    """

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        row, fields = next(iter(problems.items()))
        name, messages = next(iter(fields.items()))
        count = sum(len(texts) for fields in problems.values() for texts in fields.values())
        more = f" (and {count - 1} more)" if count > 1 else ""
        super().__init__(f"row {row}, {name}: {messages[0]}{more}")


class NotFittedError(FraudscoreError):
    """Something was used before it was fitted."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} is not fitted yet: call its fit method first")


class TaskError(FraudscoreError):
    """The artifact holds no network for what was asked."""

    def __init__(self, task: str, name: str) -> None:
        self.task = task
        self.name = name
        super().__init__(f"the artifact {name!r} was trained without the task {task!r}")


class TrainingError(FraudscoreError):
    """A training run that cannot go on."""
