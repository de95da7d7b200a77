"""The versions of a model as a list on the terminal, 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from training.findings import PARTS, in_short
from training.versions import Version

INDENT = 14  # below a version's name

METRICS = (("average_precision", "average precision"), ("roc_auc", "ROC-AUC"))


def print_versions(console: Console, versions: Sequence[Version]) -> None:
    """Print each version: when it was trained, on what, how good it is, whether it serves."""
    for version in versions:
        place = f"  [bold]{version.place}[/bold]" if version.place else ""
        console.print(f"[bold]{escape(version.version)}[/bold]{place}", highlight=False)
        for text in _facts(version):
            below = Padding(escape(text), (0, 0, 0, INDENT), expand=False)
            console.print(below, highlight=False)


def _facts(version: Version) -> Iterator[str]:
    if version.damage is not None or version.manifest is None:
        yield f"damaged: {version.damage}"
        return
    manifest = version.manifest
    moment = version.trained_at
    data = manifest.get("training_data", {})
    yield (
        f"trained {f'{moment:%Y-%m-%d %H:%M}' if moment else 'at a time that no card says'}"
        + (f" on {data['source']}, {data['rows']:,} rows" if data else "")
    )
    yield from _quality(manifest)
    if manifest.get("base_rate") is not None:
        yield f"base rate {manifest['base_rate']:.4%}"
    if version.findings:
        yield f"! {in_short(version.findings)}"


def _quality(manifest: Mapping[str, Any]) -> Iterator[str]:
    metrics = manifest.get("metrics")
    if metrics is not None:
        figures = metrics["as_table"]["figures"]
        known = [
            _figure(title, *(figures[name][part] for part in ("value", "low", "high")))
            for name, title in METRICS
            if name in figures and figures[name]["value"] is not None
        ]
        rows = f"{metrics['n_rows']:,} {PARTS.get(metrics['evaluated_on'], 'rows')}"
        first, *others = known or ["quality not defined"]
        yield f"{first} on {rows}"
        yield from others
    anomaly = manifest.get("anomaly_metrics")
    if anomaly is not None and metrics is None:
        bounds = anomaly.get("roc_auc_low"), anomaly.get("roc_auc_high")
        yield f"{_figure('ROC-AUC', anomaly['roc_auc'], *bounds)} of its anomaly score on test rows"


def _figure(title: str, value: float, low: float | None, high: float | None) -> str:
    bounds = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
    return f"{title} {value:.3f}{bounds}"
