"""The artifact: one ``.npz`` file that holds a scorer and proves that it still scores as it did.

Plain arrays, no pickle. The array ``manifest`` is JSON text; the others are the preprocessing, the
values of the networks, and the golden rows: synthetic transactions with the logits and
reconstruction errors of the day the file was written, scored again at every load.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.anomaly import AnomalyScale
from model.autoencoder import Autoencoder
from model.calibration import Calibration
from model.decision import Policy, ScoreScale
from model.errors import (
    ArtifactCorruptError,
    ArtifactFormatError,
)
from model.features import FeatureSpec, Matrix
from model.files import write_atomically
from model.mlp import MLP
from model.network_file import rebuilt
from model.npz import arrays_of, first_line, npz_bytes, read_bytes_of, version_of
from model.preprocessing import Preprocessor
from model.scorer import AnomalyPart, FraudPart, Scorer

Array = NDArray[Any]

FORMAT = 1
GOLDEN_TOLERANCE = 1e-4  # relative: other processors and batch shapes round differently


@dataclass(frozen=True)
class Artifact:
    """A loaded and verified artifact."""

    name: str
    version: str
    sha256: str
    path: Path
    manifest: Mapping[str, Any] = field(repr=False)
    scorer: Scorer = field(repr=False)


def save(
    directory: Path, scorer: Scorer, golden_rows: Matrix, facts: Mapping[str, Any]
) -> Artifact:
    """Write a scorer as ``directory/<version>.npz`` and load it back.

    Parameters
    ----------
    directory : Path
        Created if need be.
    scorer : Scorer
    golden_rows : ndarray (n, F)
        Raw rows made from the specification, never rows of the data.
    facts : mapping
        What else the card says (metrics, training data, seed, …), as JSON types. No wall-clock
        time and no path: the same run on the same machine must give the same bytes.

    Returns
    -------
    Artifact
        As loaded back from the file; it has scored the golden rows as the scorer did.

    Raises
    ------
    ArtifactError
        If what was written does not score as the scorer does.
    """
    arrays = {"golden.rows": golden_rows, **_golden_outputs(scorer, golden_rows)}
    arrays |= _prefixed("preprocessing", scorer.preprocessor.to_arrays())
    manifest: dict[str, Any] = {
        **facts,
        "format": FORMAT,
        "name": scorer.name,
        "features": scorer.spec.to_dict(),
    }
    if scorer.fraud is not None:
        arrays |= _prefixed("mlp", scorer.fraud.mlp.to_arrays())
        manifest["fraud"] = {
            "network": scorer.fraud.mlp.describe(),
            "calibration": scorer.fraud.calibration.to_dict(),
            "score_scale": scorer.fraud.scale.to_dict(),
            "policy": scorer.fraud.policy.to_dict(),
        }
    if scorer.anomalies is not None:
        autoencoder = scorer.anomalies.autoencoder
        arrays |= _prefixed("autoencoder", autoencoder.to_arrays())
        manifest["anomaly"] = {
            "network": autoencoder.describe(),
            "scale": scorer.anomalies.scale.to_dict(),
        }
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=False, allow_nan=False)
    arrays["manifest"] = np.frombuffer(text.encode(), np.uint8)
    path = directory / f"{version_of(arrays)}.npz"
    write_atomically(path, npz_bytes(arrays))
    return load(path)


def load(path: Path | str) -> Artifact:
    """Read and verify an artifact.

    Everything is read into memory and checked before anything is returned: sizes, checksums,
    format, every array, that all parts fit each other, that all values are finite, and that the
    golden rows score as they did.

    Raises
    ------
    ArtifactNotFoundError
        If there is no such file.
    ArtifactFormatError
        If it is of a format or shape that this version cannot serve.
    ArtifactCorruptError
        If it is damaged or scores differently.
    """
    path = Path(path)
    content = read_bytes_of(path)
    arrays = arrays_of(path, content)
    manifest = _manifest(path, arrays)
    version = version_of(arrays)
    if version != path.stem:
        raise ArtifactCorruptError(path, f"the content is version {version}, not {path.stem}")
    try:
        scorer = _scorer(manifest, arrays)
    except Exception as error:  # a manifest that is not ours fails in a dozen ways
        raise ArtifactFormatError(path, f"the parts do not fit: {first_line(error)}") from None
    _verify_golden_rows(path, scorer, arrays)
    digest = sha256(content).hexdigest()
    return Artifact(scorer.name, version, digest, path, manifest, scorer)


def _manifest(path: Path, arrays: Mapping[str, Array]) -> dict[str, Any]:
    try:
        manifest = json.loads(arrays["manifest"].tobytes().decode())
        found = manifest["format"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ArtifactCorruptError(path, f"no readable manifest: {first_line(error)}") from None
    if found != FORMAT:
        raise ArtifactFormatError(path, f"has format {found!r}, this version reads {FORMAT}")
    return dict(manifest)


def _scorer(manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> Scorer:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and name != "golden.rows" and not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite")
    fraud, anomaly = manifest.get("fraud"), manifest.get("anomaly")
    fraud_part = anomaly_part = None
    if fraud is not None:
        fraud_part = FraudPart(
            rebuilt(MLP, fraud["network"], _without("mlp", arrays)),
            Calibration.from_dict(fraud["calibration"]),
            ScoreScale.from_dict(fraud["score_scale"]),
            Policy.from_dict(fraud["policy"]),
        )
    if anomaly is not None:
        autoencoder = rebuilt(Autoencoder, anomaly["network"], _without("autoencoder", arrays))
        anomaly_part = AnomalyPart(autoencoder, AnomalyScale.from_dict(anomaly["scale"]))
    preprocessor = Preprocessor.from_arrays(_without("preprocessing", arrays))
    spec = FeatureSpec.from_dict(manifest["features"])
    return Scorer(manifest["name"], spec, preprocessor, fraud_part, anomaly_part)


def _verify_golden_rows(path: Path, scorer: Scorer, arrays: Mapping[str, Array]) -> None:
    try:
        rows = arrays["golden.rows"]
        found = _golden_outputs(scorer, rows)
        if not len(rows):
            raise ValueError("there are none")
        for name, values in found.items():
            expected = arrays[name]
            if values.shape != expected.shape:
                raise ValueError(f"{name} of shape {expected.shape}, not {values.shape}")
            if not np.allclose(values, expected, rtol=GOLDEN_TOLERANCE, atol=GOLDEN_TOLERANCE):
                difference = np.abs(values - expected).max()
                reason = f"{name} differ from the day it was written, by up to {difference:.3g}"
                raise ArtifactCorruptError(path, reason)
        _run_what_is_not_compared(scorer, rows)
    except ArtifactCorruptError:
        raise
    except Exception as error:  # arrays of a wrong shape or type fail in a dozen ways
        raise ArtifactFormatError(
            path, f"the golden rows do not fit: {first_line(error)}"
        ) from None


def _run_what_is_not_compared(scorer: Scorer, rows: Matrix) -> None:
    """Run calibration, policy, scale and reasons once: a part that cannot run must not serve."""
    if scorer.fraud is not None:
        scorer.reasons(rows)
    if scorer.anomalies is not None:
        scorer.anomaly_reasons(rows, scorer.anomaly(rows))


def _golden_outputs(scorer: Scorer, rows: Matrix) -> dict[str, Array]:
    outputs: dict[str, Array] = {}
    if scorer.fraud is not None:
        outputs["golden.logits"] = scorer.logits(rows)
    if scorer.anomalies is not None:
        outputs["golden.reconstruction_errors"] = scorer.anomaly(rows).reconstruction_error
    return outputs


def _prefixed(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _without(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays of a prefix, by their names without it."""
    start = f"{prefix}."
    return {n.removeprefix(start): array for n, array in arrays.items() if n.startswith(start)}
