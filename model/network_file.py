"""One network as one ``.npz`` file: plain arrays, no pickle, the same network bit by bit.

The array ``network`` is JSON text that says what the network is made of; the others are its values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from model import strict_json
from model.errors import ArtifactCorruptError, ArtifactFormatError, ConfigurationError
from model.files import write_atomically
from model.npz import arrays_of, first_line, npz_bytes, read_bytes_of

if TYPE_CHECKING:
    from model.network import Network

Array = NDArray[Any]
N = TypeVar("N", bound="Network")

FORMAT = 1
FACTS = {"format", "class", "network"}


def write_network(path: Path, network: Network) -> None:
    """Write a network, all of it or nothing.

    Raises
    ------
    ConfigurationError
        If a value is not finite: such a network has nothing to say.
    OSError
        If the file cannot be written; what was there before is then untouched.
    """
    arrays = network.to_arrays()
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ConfigurationError(f"{name} of the network hold values that are not finite")
    facts = {"format": FORMAT, "class": type(network).__name__, "network": network.describe()}
    text = json.dumps(facts, sort_keys=True, allow_nan=False)
    write_atomically(path, npz_bytes({**arrays, "network": np.frombuffer(text.encode(), np.uint8)}))


def read_network(cls: type[N], path: Path, rng: np.random.Generator | None = None) -> N:
    """Read a network of a class, all of it checked before it is returned.

    Raises
    ------
    ArtifactNotFoundError
        If there is no such file.
    ArtifactFormatError
        If it holds no network of this class and format, or one whose parts do not fit each other.
    ArtifactCorruptError
        If it is damaged.
    """
    arrays = arrays_of(path, read_bytes_of(path))
    description = _description(cls, path, arrays)
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ArtifactCorruptError(path, f"{name} hold values that are not finite")
    try:
        dtype = arrays["parameters"].dtype
        if dtype not in (np.float32, np.float64):
            raise ConfigurationError(f"parameters are of type {dtype}, not float32 or float64")
        network = rebuilt(cls, description, arrays, dtype, rng)
        with np.errstate(all="ignore"):  # layers that do not meet raise, whatever their values
            network.apply(np.zeros((1, network.layers[0].n_in)))
        _refuse_other_arrays(network, arrays)
    except Exception as error:  # a description that is not ours fails in a dozen ways
        raise ArtifactFormatError(path, f"the parts do not fit: {first_line(error)}") from None
    return network


def rebuilt(
    cls: type[N],
    description: Mapping[str, Any],
    arrays: Mapping[str, Array],
    dtype: DTypeLike = np.float32,
    rng: np.random.Generator | None = None,
) -> N:
    """Return the network of a description and of the arrays that ``to_arrays`` gave.

    Raises
    ------
    ConfigurationError, KeyError
        If they do not belong together.
    """
    n_weights, n_values = _n_weights(description), arrays["parameters"].size
    if n_weights > n_values:  # found out before memory is taken for them
        raise ConfigurationError(f"{n_weights:,} weights are described, {n_values:,} values given")
    network = cls.rebuild(description, dtype, rng)
    network.restore_arrays(arrays)
    return network


def _description(cls: type[N], path: Path, arrays: Mapping[str, Array]) -> Mapping[str, Any]:
    if "network" not in arrays:
        hint = "; model.load reads whole models" if "manifest" in arrays else ""
        raise ArtifactFormatError(path, f"holds no network by itself{hint}")
    try:
        facts = strict_json.loads(arrays["network"].tobytes())
        found = set(facts)
    except (TypeError, ValueError) as error:
        reason = f"no readable description of a network: {first_line(error)}"
        raise ArtifactCorruptError(path, reason) from None
    if not isinstance(facts, dict) or found != FACTS:
        raise ArtifactFormatError(path, f"a network has the facts {sorted(FACTS)}")
    if facts["format"] != FORMAT:
        raise ArtifactFormatError(
            path, f"has format {facts['format']!r}, this version reads {FORMAT}"
        )
    if facts["class"] != cls.__name__:
        raise ArtifactFormatError(path, f"holds {facts['class']!r:.60}, not {cls.__name__!r}")
    description = facts["network"]
    if not isinstance(description, dict):
        raise ArtifactFormatError(path, "its description of a network is none")
    return description


def _n_weights(description: Mapping[str, Any]) -> int:
    """Return how many values a network has at least: those of matrices, and one a feature."""
    total, pending = 0, list(description["components"])
    while pending:
        part = pending.pop()
        pending += part.get("components", [])
        total += prod(abs(part[key]) for key in ("n_in", "n_out", "n_features") if key in part)
    return total * (description["members"] or 1)


def _refuse_other_arrays(network: Network, arrays: Mapping[str, Array]) -> None:
    expected = network.to_arrays()
    for name in arrays.keys() - expected.keys() - {"network"}:
        raise ConfigurationError(f"no network of this kind has {name!r}")
    for name, array in expected.items():
        if (array.dtype, array.shape) != (arrays[name].dtype, arrays[name].shape):
            raise ConfigurationError(
                f"{name} of type {arrays[name].dtype} and shape {arrays[name].shape}, "
                f"not {array.dtype} and {array.shape}"
            )
