"""The report of a search: how it went, what mattered, and which trials were best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.outcome import Outcome
from training.report.page import (
    Block,
    Cell,
    Code,
    Column,
    Facts,
    Figure,
    Lines,
    Page,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Value,
    Words,
    at,
)
from training.report.tuning_facts import tuning_facts
from training.report.tuning_plots import history, importance, setting_plot
from training.report.writing import write_page


def write_tuning_report(outcome: Outcome) -> Path:
    """Write the report of a search beside its study, and return the page."""
    facts = tuning_facts(outcome)
    return write_page(_page(facts), outcome.study.with_suffix(".html"))


def _page(facts: Facts) -> Page:
    plots = [history(facts)]
    if facts["settings"] and facts["settings"][0]["importance"] is not None:
        plots.append(importance(facts))
    return Page(
        "Tuning report",
        facts["name"],
        facts,
        [
            Section("Search", [*map(Figure, plots), _comparison(facts)]),
            Section(
                "Settings",
                [Figure(setting_plot(facts, setting)) for setting in facts["settings"]],
            ),
            Section("Best trials", [_best_trials(facts)]),
        ],
        summary=_summary(facts),
    )


def _summary(facts: Facts) -> list[Block]:
    tiles = [Tile("Best value", Value(at("trials", facts["best"], "value")))]
    if facts["untuned"] is not None:
        tiles.append(Tile("Untuned", Value(at("trials", facts["untuned"], "value"))))
    tiles += [
        Tile(f"Trials {state}", Value(at("counts", state), "count"))
        for state in ("complete", "given up")
    ]
    direction = "higher" if facts["metric"]["is_maximized"] else "lower"
    words: Words = (
        f"{facts['metric']['title'].capitalize()}, the mean over ",
        Value(at("n_folds"), "count"),
        f" folds; {direction} is better.",
    )
    return [Tiles(tiles), Text(words, is_quiet=True)]


def _comparison(facts: Facts) -> Table:
    rows = [
        [
            Cell(Code(_key(setting)), under=setting["name"].partition(".")[0]),
            Value(at("settings", n, "untuned"), "value"),
            Value(at("settings", n, "best"), "value"),
            Value(at("settings", n, "importance"), "percent"),
        ]
        for n, setting in enumerate(facts["settings"])
    ]
    titles = ("Setting", "Untuned", "Best", "Importance")
    return Table("The best settings", [Column(title) for title in titles], rows)


def _best_trials(facts: Facts) -> Table:
    names = [setting["name"] for setting in facts["settings"]]
    rows: list[list[Any]] = []
    for place in facts["leaders"]:
        trial = facts["trials"][place]
        folds = [Value(at("trials", place, "folds", n)) for n in range(len(trial["folds"]))]
        label = (Value(at("trials", place, "number"), "count"),)
        rows.append(
            [
                Cell(label, under="untuned" if trial["is_untuned"] else ""),
                Cell(Value(at("trials", place, "value")), under=Lines(folds)),
                *(Value(at("trials", place, "settings", name), "value") for name in names),
            ]
        )
    heads = ["Trial", "Mean, and each fold", *map(_key, facts["settings"])]
    return Table("The best trials", [Column(head) for head in heads], rows, reading="trials")


def _key(setting: Facts) -> str:
    """Return the name of a setting without its section."""
    return str(setting["name"].partition(".")[2])
