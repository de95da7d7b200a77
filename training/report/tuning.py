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


def write_tuning_report(outcome: Outcome, command: str | None = None) -> Path:
    """Write the report of a search beside its study, and return the page.

    Parameters
    ----------
    outcome : Outcome
    command : str, optional
        What was typed to search.
    """
    facts = tuning_facts(outcome, command)
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
            Section("What was searched", [_identity(facts), _folds(facts)]),
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


def _identity(facts: Facts) -> Table:
    searched = facts["searched"]
    named: list[list[Words]] = [
        ["Began", searched["began_at"]],
        ["Last trial ended", searched["ended_at"]],
        ["Data", Code(searched["source"])],
        ["Rows", Value(at("searched", "rows"), "count")],
        ["Frauds", Value(at("searched", "frauds"), "count")],
        ["Data, SHA-256", Code(searched["data_sha256"])],
        ["Seed", Value(at("searched", "seed"), "count")],
        ["Study", Code(searched["study"])],
    ]
    if searched["command"] is not None:
        named.insert(0, ["Command", Code(searched["command"])])
    columns = [Column("What"), Column("Value", is_words=True)]
    return Table("What identifies this search", columns, named)


def _folds(facts: Facts) -> Table:
    keys = ("number", "learned_rows", "learned_frauds", "judged_rows", "judged_frauds")
    rows = [
        [Value(at("searched", "folds", n, key), "count") for key in keys]
        for n in range(facts["n_folds"])
    ]
    titles = ("Fold", "Rows learned from", "of them fraud", "Rows judged by", "of them fraud")
    note = f"Cut {facts['searched']['note']}; the test rows are in none of them."
    return Table("Folds", [Column(title) for title in titles], rows, note=note)


def _key(setting: Facts) -> str:
    """Return the name of a setting without its section."""
    return str(setting["name"].partition(".")[2])
