"""The autoencoder: what a narrow middle keeps, what it cannot rebuild, and where alarms begin."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from model import Autoencoder
from training.config import LearningConfig
from training.demo import autoencoder_plots as plots
from training.demo.closing import closing
from training.demo.learning import learn
from training.demo.points import ANOMALIES, CAUSES, FEATURES, ROWS, Rows, causes, curve
from training.report.formats import count, number, percent
from training.report.page import (
    Column,
    Facts,
    Figure,
    Page,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Value,
    at,
)

HIDDEN, QUANTILE = 16, 0.99
LEARNING = LearningConfig(optimizer="adam", learning_rate=0.01, epochs=100, batch_size=50, warmup=0)
QUANTILES = (0.9, 0.95, 0.99, 0.999)
WIDE = 32  # units of the autoencoders of the wider table
WIDE_LEARNING = LearningConfig(
    optimizer="adam", learning_rate=0.005, epochs=40, batch_size=50, warmup=0
)


def page(seed: int) -> Page:
    """Return the demonstration."""
    data, start, wide_data, wide_start = np.random.default_rng(seed).spawn(4)
    rows = curve(data)
    network = Autoencoder(2, HIDDEN, 1, activation="tanh", rng=start)
    learn(network, rows.train, rows.train, LEARNING, start)
    network.fit_threshold(rows.validation, QUANTILE)
    facts = _facts(network, rows, _bottlenecks(causes(wide_data), wide_start), seed)
    drawn = {
        plot.name: Figure(plot)
        for plot in (
            plots.reconstructions(network, rows.test, rows.odd),
            plots.alarm(network, rows.test, rows.odd),
            plots.errors(network, rows.test, rows.odd),
            plots.bottlenecks(facts["bottlenecks"]),
        )
    }
    return Page("Demonstration", "Autoencoder", facts, _sections(facts, drawn), "", _tiles())


def _bottlenecks(rows: Rows, rng: np.random.Generator) -> list[Facts]:
    """Return how autoencoders of every bottleneck tell anomalies, all else alike."""
    found = []
    for bottleneck in range(1, FEATURES + 1):
        network = Autoencoder(FEATURES, WIDE, bottleneck, activation="tanh", rng=rng)
        learn(network, rows.train, rows.train, WIDE_LEARNING, rng)
        network.fit_threshold(rows.validation, QUANTILE)
        found.append({"bottleneck": bottleneck, **_told(network, rows)})
    return found


def _told(network: Autoencoder, rows: Rows) -> Facts:
    """Return the errors of both kinds, and how well they tell them apart."""
    usual, odd = (network.reconstruction_error(part) for part in (rows.test, rows.odd))
    is_odd = np.repeat([0, 1], [len(usual), len(odd)])
    return {
        "legitimate_error": float(np.median(usual)),
        "anomaly_error": float(np.median(odd)),
        "false_alarms": float(network.predict(rows.test).mean()),
        "found": float(network.predict(rows.odd).mean()),
        "roc_auc": float(roc_auc_score(is_odd, np.concatenate([usual, odd]))),
    }


def _facts(network: Autoencoder, rows: Rows, bottlenecks: list[Facts], seed: int) -> Facts:
    told = _told(network, rows)
    facts: Facts = {
        "seed": seed,
        "rows": ROWS,
        "anomalies": ANOMALIES,
        "parameters": network.n_parameters,
        "quantile": QUANTILE,
        "threshold": network.threshold,
        **told,
        "times": told["anomaly_error"] / told["legitimate_error"],
        "quantiles": [_at_quantile(network, rows, quantile) for quantile in QUANTILES],
        "features": FEATURES,
        "causes": CAUSES,
        "bottlenecks": bottlenecks,
        "remarks": [],
    }
    headline = (
        f"An autoencoder with one unit in its middle rebuilds usual rows with a median error of "
        f"{number(facts['legitimate_error'])} and anomalies with {number(facts['anomaly_error'])}; "
        f"its threshold calls {percent(facts['found'])} of the anomalies and "
        f"{percent(facts['false_alarms'])} of new usual rows."
    )
    return facts | {"headline": headline, "readings": _readings(facts)}


def _at_quantile(network: Autoencoder, rows: Rows, quantile: float) -> dict[str, float]:
    """Return what another threshold would call; the network keeps its own."""
    threshold = float(np.quantile(network.reconstruction_error(rows.validation), quantile))
    usual, odd = (
        float((network.reconstruction_error(part) > threshold).mean())
        for part in (rows.test, rows.odd)
    )
    return {"quantile": quantile, "threshold": threshold, "false_alarms": usual, "found": odd}


def _readings(facts: Facts) -> dict[str, str]:
    narrow, wide = facts["bottlenecks"][0], facts["bottlenecks"][-1]
    best = max(facts["bottlenecks"], key=lambda own: own["found"])
    return {
        "reconstructions": f"The error of the median anomaly is {count(facts['times'])} times that "
        "of the median usual row: what comes out of one unit can only lie on one curve.",
        "alarm": f"Everything outside of the shaded band is called an anomaly: "
        f"{percent(facts['found'])} of {count(facts['anomalies'])} anomalies. The others "
        "came to lie in it by chance: an anomaly that looks usual is not found.",
        "errors": f"{percent(facts['quantile'])} of the validation rows have an error below "
        f"{number(facts['threshold'])}; of new usual rows {percent(facts['false_alarms'])} lie "
        f"above it, of anomalies {percent(facts['found'])}.",
        "bottlenecks": f"With {count(best['bottleneck'])} units most anomalies are called, "
        f"{percent(best['found'])}; with {count(narrow['bottleneck'])} it is "
        f"{percent(narrow['found'])}, with {count(wide['bottleneck'])}, as many as there are "
        f"features, {percent(wide['found'])}.",
    }


def _tiles() -> list[Tiles]:
    tiles = [
        Tile("Anomalies called", Value("/found", "percent"), "fraud"),
        Tile("Usual rows called", Value("/false_alarms", "percent"), "legitimate"),
        Tile("ROC-AUC of the error", Value("/roc_auc")),
    ]
    return [Tiles(tiles)]


def _sections(facts: Facts, drawn: dict[str, Figure]) -> list[Section]:
    narrow = (
        "An autoencoder learns to give back what it is given, through a middle that is too narrow "
        "for everything. Here rows are points in the plane and the middle is one unit: of two "
        "numbers one must be enough. It learned from ",
        Value("/rows", "count"),
        " usual rows, never from an anomaly, and so keeps what usual rows differ in: how far "
        "along the curve they are.",
    )
    threshold = (
        "The reconstruction error of a row is its mean squared distance from what came back. Where "
        "alarms begin is set on usual rows that the network did not learn from, at a quantile: it "
        "takes the share of false alarms that one is ready to accept, and no known anomaly."
    )
    width = (
        "The picture below is of another table: its ",
        Value("/features", "count"),
        " features come from ",
        Value("/causes", "count"),
        " causes and some noise, and its anomalies have only values that usual rows have, each "
        "taken from another row: no feature alone is unusual, only how they go together. A "
        "bottleneck that is too narrow rebuilds usual rows badly; one that is as wide as the table "
        "need not learn how features go together, it can copy them, those of anomalies too.",
    )
    return [
        Section("The narrow middle", [Text(narrow), drawn["reconstructions"], drawn["alarm"]]),
        Section("The threshold", [Text(threshold), drawn["errors"], _quantiles(facts)]),
        Section("How narrow", [Text(width), drawn["bottlenecks"], _bottleneck_table(facts)]),
        closing("autoencoder", facts["seed"]),
    ]


def _quantiles(facts: Facts) -> Table:
    titles = ("Quantile", "Threshold", "Usual rows called", "Anomalies called")
    forms = {"quantile": "percent", "threshold": "number"}
    keys = ("quantile", "threshold", "false_alarms", "found")
    rows = [
        [[Value(at("quantiles", n, key), forms.get(key, "percent"))] for key in keys]
        for n in range(len(facts["quantiles"]))
    ]
    note = "Usual rows are new ones: neither learned from nor used for the threshold."
    return Table("Thresholds", [Column(own) for own in titles], rows, note=note, is_half=True)


def _bottleneck_table(facts: Facts) -> Table:
    titles = ("Units", "Usual", "Anomalies", "Called")
    keys = ("bottleneck", "legitimate_error", "anomaly_error", "found")
    forms = {"bottleneck": "count", "found": "percent"}
    rows = [
        [[Value(at("bottlenecks", n, key), forms.get(key, "number"))] for key in keys]
        for n in range(len(facts["bottlenecks"]))
    ]
    note = "The median error of usual rows and of anomalies; the share of anomalies called."
    return Table("By bottleneck", [Column(own) for own in titles], rows, note=note, is_half=True)
