"""How every demonstration ends: with what makes it again."""

from __future__ import annotations

from training.program import command_line
from training.report.page import Code, Section, Text, Value


def closing(name: str, seed: int) -> Section:
    """Return the last section of a demonstration.

    Parameters
    ----------
    name : str
        Of the demonstration.
    seed : int
        It was made with; also in its facts.
    """
    made = (
        "Nothing on this page was written beforehand: the networks were trained when it was made, "
        "by the same code as every model of this project, with seed ",
        Value("/seed", "count"),
        ". On the same machine the same seed gives the same page, byte for byte; another one shows "
        "how much is chance:",
    )
    again = Code(command_line("demo", name, "--seed", seed + 1))
    return Section("Make it again", [Text(made), Text([again])])
