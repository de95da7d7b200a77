"""The artifact: one ``.npz`` file that holds a scorer and proves that it still scores as it did.

Plain arrays, no pickle. The array ``manifest`` is JSON text; the others are the preprocessing, the
values of the networks, and the golden rows: synthetic transactions with all that was answered to
them on the day the file was written, answered again at every load. Files of format 1, of which only
logits and reconstruction errors were written down, load too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import strict_json
from model.anomaly import AnomalyScale
from model.autoencoder import Autoencoder
from model.calibration import Calibration
from model.decision import Policy, ScoreScale
from model.errors import (
    ArtifactCorruptError,
    ArtifactFormatError,
    ConfigurationError,
)
from model.features import FeatureSpec, Matrix
from model.files import write_atomically
from model.golden import Transaction
from model.golden_answers import (
    AnswersDifferError,
    check_answers,
    check_format_1,
    write_answers,
)
from model.mlp import MLP
from model.network_file import rebuilt
from model.npz import arrays_of, first_line, npz_bytes, read_bytes_of, version_of
from model.plausible import is_finite
from model.preprocessing import Preprocessor
from model.scorer import AnomalyPart, FraudPart, Scorer

Array = NDArray[Any]

FORMAT = 2
READABLE = {1: check_format_1, FORMAT: check_answers}  # format → how golden rows are checked
LARGEST_MANIFEST = 64 * 2**20  # bytes; a hundred columns of as many rare categories as are kept
PARTS = {
    "fraud": {"network", "calibration", "score_scale", "policy"},
    "anomaly": {"network", "scale"},
}


@dataclass(frozen=True)
class Artifact:
    """A loaded and verified artifact."""

    name: str
    version: str
    sha256: str
    path: Path
    manifest: Mapping[str, Any] = field(repr=False)
    scorer: Scorer = field(repr=False)
    golden_transactions: Sequence[Transaction] = field(repr=False)


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
        Raw rows made from the specification, never rows of the data. Those that no client could
        send are left out.
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
    arrays = _prefixed("golden", write_answers(scorer, golden_rows))
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
    format, every array, that all parts fit each other, that all values are finite and possible, and
    that the golden rows are answered as they were.

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
    with np.errstate(all="ignore"):  # what is not finite is found, and refused, where it matters
        try:
            scorer = _scorer(manifest, arrays)
        except Exception as error:  # a manifest that is not ours fails in a dozen ways
            raise ArtifactFormatError(path, f"the parts do not fit: {first_line(error)}") from None
        try:
            transactions = READABLE[manifest["format"]](scorer, _without("golden", arrays))
        except AnswersDifferError as error:
            raise ArtifactCorruptError(path, str(error)) from None
        except Exception as error:  # arrays of a wrong shape or type fail in a dozen ways
            reason = f"the golden rows do not fit: {first_line(error)}"
            raise ArtifactFormatError(path, reason) from None
    digest = sha256(content).hexdigest()
    return Artifact(scorer.name, version, digest, path, manifest, scorer, transactions)


def _manifest(path: Path, arrays: Mapping[str, Array]) -> dict[str, Any]:
    try:
        text = arrays["manifest"]
        if text.nbytes > LARGEST_MANIFEST:
            raise ValueError(f"larger than {LARGEST_MANIFEST} bytes")
        manifest = dict(strict_json.loads(text.tobytes()))
        found = manifest["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactCorruptError(path, f"no readable manifest: {first_line(error)}") from None
    if type(found) is not int or found not in READABLE:
        formats = " and ".join(map(str, READABLE))
        raise ArtifactFormatError(path, f"has format {found!r:.40}, this version reads {formats}")
    return manifest


def _scorer(manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> Scorer:
    for name, array in arrays.items():
        if _is_of_model(name) and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite")
    base_rate = manifest.get("base_rate")
    if base_rate is not None and not (is_finite(base_rate) and 0 < base_rate < 1):
        raise ConfigurationError(f"a base rate lies between 0 and 1, got {base_rate!r:.40}")
    _refuse_other_parts(manifest, arrays)
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


def _refuse_other_parts(manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Refuse a part that is named otherwise than its arrays, or whose facts are."""
    prefixes = {"golden", "preprocessing"}
    for task, prefix in (("fraud", "mlp"), ("anomaly", "autoencoder")):
        part = manifest.get(task)
        if part is None:
            continue
        prefixes.add(prefix)
        if part.keys() != PARTS[task]:
            raise ConfigurationError(
                f"the part {task!r} has the facts {sorted(PARTS[task])}, got {sorted(part)}"
            )
    for name in arrays.keys() - {"manifest"}:
        if name.partition(".")[0] not in prefixes:
            raise ConfigurationError(f"no part has the array {name!r:.80}")


def _is_of_model(name: str) -> bool:
    """Return whether an array is part of the model; golden rows hold missing values."""
    return not name.startswith("golden.")


def _prefixed(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _without(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays of a prefix, by their names without it."""
    start = f"{prefix}."
    return {n.removeprefix(start): array for n, array in arrays.items() if n.startswith(start)}
