"""Artifacts whose parts do not fit, or no longer score as they did, are refused with the reason."""

import numpy as np
import pytest

from model.artifact import load
from model.errors import ArtifactCorruptError, ArtifactFormatError
from tests.factories import save_tiny
from tests.model.artifacts import arrays_in, refusal, with_manifest, write


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return a small artifact that nothing is wrong with."""
    return save_tiny(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def arrays(sound):
    """Return its arrays."""
    return arrays_in(sound.path)


@pytest.mark.parametrize("found", [3, 0, "2", 2.0, True, None])
def test_other_format(found, arrays, tmp_path):
    changed = with_manifest(arrays, lambda manifest: manifest.update(format=found))

    reason = refusal(ArtifactFormatError, write(tmp_path, changed))

    assert reason == f"has format {found!r}, this version reads 1 and 2"


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"format"'],
    ids=["empty", "cut", "list", "null", "no format", "no text", "deep", "cut in a key"],
)
def test_manifest_that_cannot_be_read(text, arrays, tmp_path):
    changed = arrays | {"manifest": np.frombuffer(text, np.uint8)}

    assert "no readable manifest" in refusal(ArtifactCorruptError, write(tmp_path, changed))


def test_no_manifest(arrays, tmp_path):
    del arrays["manifest"]

    assert "no readable manifest" in refusal(ArtifactCorruptError, write(tmp_path, arrays))


@pytest.mark.parametrize(
    "name",
    ["mlp.parameters", "autoencoder.parameters", "autoencoder.whitening", "preprocessing.centre"],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(name, value, arrays, tmp_path):
    spoiled = arrays[name].copy()
    spoiled.flat[-1] = value

    reason = refusal(ArtifactFormatError, write(tmp_path, arrays | {name: spoiled}))

    assert reason == f"the parts do not fit: {name} holds values that are not finite"


MANIFESTS = {
    "a feature less": lambda m: m["features"]["features"].pop(),
    "a feature more": lambda m: m["features"]["features"].append(
        m["features"]["features"][0] | {"name": "V99"}
    ),
    "no features": lambda m: m.pop("features"),
    "no name": lambda m: m.pop("name"),
    "no networks": lambda m: [m.pop(task) for task in ("fraud", "anomaly")],
    "features of a new kind": lambda m: m["features"].update(features=[1]),
    "unknown activation": lambda m: first_layer(m).update(activation="swish"),
    "unknown layer": lambda m: first_layer(m).update(kind="convolution"),
    "another width": lambda m: first_layer(m).update(n_out=7),
    "a width of no bytes on earth": lambda m: first_layer(m).update(n_in=10**12, n_out=10**6),
    "a width that is text": lambda m: first_layer(m).update(n_out="8"),
    "another number of members": lambda m: m["fraud"]["network"].update(members=3),
    "network that is text": lambda m: m["fraud"].update(network="mlp"),
    "no calibration": lambda m: m["fraud"].pop("calibration"),
    "unknown setting of the policy": lambda m: m["fraud"]["policy"].update(mood="good"),
    "fraud that is a number": lambda m: m.update(fraud=3),
    "score scale without knots": lambda m: m["fraud"]["score_scale"].pop("knots"),
    "anomaly scale without threshold": lambda m: m["anomaly"]["scale"].pop("threshold"),
    "calibration that cannot run": lambda m: m["fraud"]["calibration"].update(
        method="isotonic", knots=[0.0, 1.0], levels=[0.0]
    ),
    "category that is not there": lambda m: m["features"]["features"][4].update(central=-9),
    "policy for an amount that is text": lambda m: m["fraud"]["policy"].update(
        kind="cost", amount_floor="5"
    ),
}


def first_layer(manifest):
    """Return the description of the classifier's first layer."""
    return manifest["fraud"]["network"]["components"][0]


@pytest.mark.parametrize("name", MANIFESTS)
def test_parts_that_do_not_fit(name, arrays, tmp_path):
    changed = with_manifest(arrays, MANIFESTS[name])

    assert "do not fit: " in refusal(ArtifactFormatError, write(tmp_path, changed))


@pytest.mark.parametrize(
    "name",
    [
        "mlp.parameters",
        "autoencoder.parameters",
        "preprocessing.centre",
        "golden.rows",
        "golden.logits",
        "golden.reconstruction_errors",
    ],
)
def test_array_that_is_missing_or_of_another_shape(name, arrays, tmp_path):
    without = {key: array for key, array in arrays.items() if key != name}
    for changed in (
        without,
        arrays | {name: arrays[name][..., :-1]},
        arrays | {name: np.ones((2, 2, 2))},
    ):
        assert "do not fit" in refusal(ArtifactFormatError, write(tmp_path, changed))


@pytest.mark.parametrize("name", ["mlp.parameters", "preprocessing.centre", "golden.rows"])
def test_array_of_text(name, arrays, tmp_path):
    changed = arrays | {name: np.full(arrays[name].shape, "text")}

    assert "do not fit" in refusal(ArtifactFormatError, write(tmp_path, changed))


def test_golden_rows_that_no_longer_match(arrays, tmp_path):
    for name, outputs in (
        ("mlp.parameters", "golden.logits"),
        ("autoencoder.parameters", "golden.reconstruction_errors"),
        ("preprocessing.centre", "golden.logits"),
    ):
        reason = refusal(
            ArtifactCorruptError, write(tmp_path, arrays | {name: arrays[name] + 0.01})
        )

        assert f"{outputs} differ from the day it was written, by up to " in reason


def test_golden_outputs_of_another_shape_are_not_stretched_to_fit(arrays, tmp_path):
    changed = arrays | {"golden.logits": arrays["golden.logits"][None]}

    reason = refusal(ArtifactFormatError, write(tmp_path, changed))

    assert "golden.logits of shape (1, 2, 64), not (2, 64)" in reason


def test_golden_rows_allow_for_the_rounding_of_other_processors(arrays, tmp_path):
    logits = arrays["golden.logits"]

    load(write(tmp_path, arrays | {"golden.logits": logits * (1 + 5e-5)}))
    refusal(ArtifactCorruptError, write(tmp_path, arrays | {"golden.logits": logits + 1e-2}))


def test_artifact_without_golden_rows_proves_nothing(arrays, tmp_path):
    empty = {name: arrays[name][:0] for name in ("golden.rows", "golden.reconstruction_errors")}
    empty["golden.logits"] = arrays["golden.logits"][:, :0]

    reason = refusal(ArtifactFormatError, write(tmp_path, arrays | empty))

    assert reason == "the golden rows do not fit: there are none"
