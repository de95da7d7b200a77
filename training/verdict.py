"""What becomes of a new model: champion, or not, and why."""

from __future__ import annotations

from dataclasses import dataclass

from training.challenge import Challenge
from training.findings import in_short
from training.pipeline import Run
from training.promote import promote


@dataclass(frozen=True)
class Verdict:
    """What became of a new model.

    Attributes
    ----------
    is_champion : bool
    reason : str
        Why, as the end of a sentence.
    is_refused : bool
        Whether it would have become champion, had the figures not spoken against it.
    """

    is_champion: bool
    reason: str
    is_refused: bool = False

    def __str__(self) -> str:
        """Return the verdict as a sentence."""
        if self.is_champion:
            return f"This model is champion, {self.reason}."
        return f"This model did not become champion: {self.reason}."


def settle(
    run: Run, rivals: Challenge | None, *, may_replace: bool, anyway: bool = False
) -> Verdict:
    """Promote a new model if it has earned it.

    Parameters
    ----------
    run : Run
    rivals : Challenge or None
        None where nothing was ever promoted.
    may_replace : bool
        Whether it may take the place of a champion that it is not worse than; else only the first
        version of a name is promoted.
    anyway : bool
        Promote it whatever the figures say against it.
    """
    directory, version = run.artifact.path.parent, run.artifact.version
    comparison = None if rivals is None else rivals.comparison
    if rivals is not None:
        if not may_replace and rivals.champion == version:
            return Verdict(True, "as it was before")
        if not may_replace and rivals.champion is not None:
            return Verdict(False, f"{rivals.champion} serves, and train replaces no champion")
        if comparison is None:
            return Verdict(False, str(rivals.refusal))
    against = []
    if comparison is not None and comparison.is_worse and rivals is not None:
        against.append(f"these rows show it to be worse; {rivals.champion} stays")
    if run.findings:
        against.append(in_short(run.findings))
    if against and not anyway:
        return Verdict(False, "; ".join(against), is_refused=True)
    reason = "the first version of its name"
    if rivals is not None:
        reason = f"in the place of {rivals.champion}"
    if against:
        reason += f", in spite of: {'; '.join(against)}"
    promote(directory, version, reason, comparison)
    return Verdict(True, reason)
