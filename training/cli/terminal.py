"""The terminal that commands print to, and counters of the rows that are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.segment import Segment

from model.printable import printable


class Terminal(Console):
    """A console on which names of columns, categories and files are only ever text."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Return what is to be written; the control codes are those of rich alone."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


CONSOLE = Terminal(highlight=False)


@contextmanager
def stage_counter() -> Iterator[Callable[[str, int], None]]:
    """Show what is being done and to how many rows; a stage that follows another has as many."""
    columns = (
        TextColumn("  {task.description:<9}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=CONSOLE, transient=True) as progress:

        def on_rows(stage: str, n_rows: int) -> None:
            if stage not in tasks:
                done = [task for task in progress.tasks if task.completed]
                for task in done:
                    progress.update(task.id, total=task.completed)
                total = done[-1].completed if done else None
                tasks[stage] = progress.add_task(stage, total=total)
            progress.advance(tasks[stage], n_rows)

        yield on_rows


@contextmanager
def row_counter() -> Iterator[Callable[[int], None]]:
    """Show how many rows are done; their number is not known beforehand."""
    columns = (TextColumn("  {task.completed:,.0f} rows"), TimeElapsedColumn())
    with Progress(*columns, console=CONSOLE, transient=True) as progress:
        task = progress.add_task("rows", total=None)
        yield lambda n_rows: progress.advance(task, n_rows)
