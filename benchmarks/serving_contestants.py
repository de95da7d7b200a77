"""The services that are loaded: ours in several configurations, and the peers beside the project.

A peer is a folder ``peers/NAME`` with a ``run.sh PORT``; its environment and model are built by
``setup_venvs.sh`` under ``$PEERS_HOME``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT.parent / "shared" / "peers" / "peers"
WORKERS = "2"

Rows = Sequence[Mapping[str, float]]


def records(rows: Rows, is_single: bool) -> object:
    """Return objects of named numbers, a bare one for a single transaction."""
    return rows[0] if is_single else rows


def columns(rows: Rows, is_single: bool) -> object:  # noqa: ARG001 (one shape for both)
    """Return rows of numbers without names."""
    return {"x": [list(row.values()) for row in rows]}


def frame_records(rows: Rows, is_single: bool) -> object:  # noqa: ARG001 (likewise)
    """Return the records of a data frame, as MLflow wants them."""
    return {"dataframe_records": rows}


def tensor(rows: Rows, is_single: bool) -> dict[str, object]:  # noqa: ARG001 (likewise)
    """Return a tensor of the open inference protocol."""
    data = [value for row in rows for value in row.values()]
    shape = [len(rows), len(rows[0])]
    return {"inputs": [{"name": "x", "shape": shape, "datatype": "FP64", "data": data}]}


def probability_tensor(rows: Rows, is_single: bool) -> object:
    """Return the same, asking for probabilities rather than classes."""
    return tensor(rows, is_single) | {"outputs": [{"name": "predict_proba"}]}


@dataclass(frozen=True)
class Contestant:
    """A service: how it starts (on port ``{port}``), and how transactions are put to it."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    single: str = "/predict"
    batch: str = "/predict"
    shape: Callable[[Rows, bool], object] = records

    def body(self, rows: Rows) -> bytes:
        """Return the compact JSON that asks for the scores of some transactions."""
        return orjson.dumps(self.shape(rows, len(rows) == 1))

    def path(self, n_rows: int) -> str:
        """Return where a request of so many transactions goes."""
        return self.single if n_rows == 1 else self.batch


def ours(name: str, model: Path, **settings: str) -> Contestant:
    """Return our service as shipped, but for the settings named (without their prefix)."""
    chosen = {f"FRAUDSCORE_{key}": value for key, value in settings.items()}
    return Contestant(
        name=f"fraudscore, {name}",
        command=(sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"),
        folder=ROOT,
        environ={
            "PORT": "{port}",
            "HOST": "127.0.0.1",
            "WEB_CONCURRENCY": WORKERS,
            "FRAUDSCORE_MODEL_DIR": str(model),
            **chosen,
        },
    )


def home_of_peers() -> Path:
    """Return where the peers' environments and models are."""
    default = Path.home() / ".cache" / "model-server-peers"
    return Path(os.environ.get("PEERS_HOME", default))


# single path, batch path, shape of the body, and the environment that setup_venvs.sh builds for it
_PEERS: dict[str, tuple[str, str, Callable[[Rows, bool], object], str]] = {
    "fastapi": ("/predict", "/predict_batch", records, "fastapi"),
    "granian": ("/predict", "/predict_batch", records, "fastapi"),
    "flask_tutorial": ("/predict", "/predict_batch", records, "base"),
    "bentoml": ("/predict", "/predict", columns, "bentoml"),
    "litserve": ("/predict", "/predict", records, "litserve"),
    "ray": ("/predict", "/predict", records, "ray"),
    "mlflow": ("/invocations", "/invocations", frame_records, "mlflow"),
    "mlserver": ("/v2/models/mlp/infer", "/v2/models/mlp/infer", probability_tensor, "mlserver"),
    "pytriton": ("/v2/models/mlp/infer", "/v2/models/mlp/infer", tensor, "pytriton"),
}
PEER_NAMES = tuple(_PEERS)
REFERENCE = "FastAPI + uvicorn + ONNX Runtime"


def peer(key: str) -> Contestant:
    """Return a peer by the name of its folder."""
    single, batch, shape, _ = _PEERS[key]
    return Contestant(
        name=REFERENCE if key == "fastapi" else key,
        command=("bash", "run.sh", "{port}"),
        folder=PEERS / key,
        environ={"HERE": str(home_of_peers()), "PYTHONDONTWRITEBYTECODE": "1"},
        single=single,
        batch=batch,
        shape=shape,
    )


def missing(key: str) -> str | None:
    """Say why a peer cannot run, or nothing if it can."""
    if not (PEERS / key / "run.sh").is_file():
        return "the peers are not beside the project (../shared/peers)"
    environment = home_of_peers() / "venvs" / _PEERS[key][3]
    if not environment.is_dir():
        return f"not installed: run setup_venvs.sh base {environment.name} in ../shared/peers"
    return None
