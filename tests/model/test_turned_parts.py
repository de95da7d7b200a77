"""Parts that were turned by hand, in a file that is sound but for them, are refused."""

import json
import math

import numpy as np
import pytest

from model.artifact import load
from model.decision import Policy
from model.errors import ArtifactCorruptError, ArtifactFormatError, ConfigurationError
from tests.factories import save_tiny
from tests.model.artifacts import arrays_in, refusal, with_manifest, write

COSTS = Policy("cost", fee=1.0, friction=8.0, review_cost=2.0)
GOLDEN_OF_FORMAT_1 = ("golden.rows", "golden.logits", "golden.reconstruction_errors")


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    """Return the arrays of a small artifact that nothing is wrong with."""
    return arrays_in(save_tiny(tmp_path_factory.mktemp("sound"), policy=COSTS).path)


@pytest.fixture(scope="module", params=[1, 2])
def of_format(request, arrays):
    """Return the arrays of the artifact, in either format."""
    if request.param == 2:
        return arrays
    kept = {
        name: array
        for name, array in arrays.items()
        if not name.startswith("golden.") or name in GOLDEN_OF_FORMAT_1
    }
    return with_manifest(kept, lambda manifest: manifest.update(format=1))


def calibration(**facts):
    return lambda manifest: manifest["fraud"]["calibration"].update(facts)


def policy(**facts):
    return lambda manifest: manifest["fraud"]["policy"].update(facts)


def feature(**facts):
    return lambda manifest: manifest["features"]["features"][0].update(facts)


def turn_around(part, name):
    """Return a change that reverses the knots of a scale."""
    return lambda manifest: manifest[part[0]][part[1]][name].reverse()


IMPOSSIBLE = {
    "slope of the other sign": (calibration(slope=-1.0), "slopes of a calibration"),
    "no slope": (calibration(slope=0), "slopes of a calibration"),
    "slope that is true": (calibration(slope=True), "no finite number"),
    "offset that is text": (calibration(offset="1"), "no finite number"),
    "knots without levels": (calibration(knots=[0.0, 1.0]), "knots of a calibration"),
    "isotonic without knots": (calibration(method="isotonic"), "knots of a calibration"),
    "unknown method": (calibration(method="cubic"), "a calibration is one of"),
    "fee below zero": (policy(fee=-1.0), "costs ≥ 0"),
    "thresholds that cross": (policy(review=0.9, block=0.1), "review ≤ block"),
    "unknown kind of policy": (policy(kind="approve"), "'threshold'"),
    "threshold that is text": (policy(block="0.9"), "finite"),
    "anomalies reviewed from a text on": (policy(anomaly_review="0.9"), "anomaly score"),
    "scores that fall": (turn_around(("fraud", "score_scale"), "knots"), "score scale"),
    "rates that rise": (turn_around(("fraud", "score_scale"), "log10_rates"), "score scale"),
    "errors that fall": (turn_around(("anomaly", "scale"), "errors"), "anomaly scale"),
    "tail that rises": (lambda m: m["fraud"]["score_scale"].update(tail_slope=1.0), "score scale"),
    "scale with another fact": (
        lambda m: m["anomaly"]["scale"].update(x=1),
        "not an anomaly scale",
    ),
    "part with another fact": (lambda m: m["fraud"].update(x=1), "has the facts"),
    "renamed part": (lambda m: m.update(frauds=m.pop("fraud")), "no part has the array 'mlp"),
    "base rate of one": (lambda m: m.update(base_rate=1), "base rate"),
    "base rate that is text": (lambda m: m.update(base_rate="0.1"), "base rate"),
    "feature without a name": (feature(name=""), "facts of the feature"),
    "name that is a number": (feature(name=5), "facts of the feature"),
    "range that is turned around": (feature(seen=[2.0, 1.0]), "facts of the feature"),
    "range of one": (feature(typical=[1.0]), "facts of the feature"),
    "kind that is unknown": (feature(kind="money"), "facts of the feature"),
    "bounds that cross": (feature(minimum=2.0, maximum=1.0), "facts of the feature"),
    "feature that may be missing": (feature(nullable=True), "nullable"),
    "another role": (lambda m: m["features"].update(weather="rain"), "not a feature specification"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_facts_that_cannot_be_are_refused_in_either_format(name, of_format, tmp_path):
    change, reason = IMPOSSIBLE[name]

    path = write(tmp_path, with_manifest(of_format, change))

    assert reason in refusal(ArtifactFormatError, path)


NOT_STRICT = {
    "NaN": ("NaN", "no finite number"),
    "infinity": ("-Infinity", "no finite number"),
    "too large": ("1e999", "no finite number"),
    "integer of 70 bits": (str(2**70), "more than 64 bits"),
    "integer of many digits": ("9" * 5000, "more than 64 bits"),
    "half of a character": ('"\\ud800"', "surrogates"),
    "deep": ("[" * 80 + "]" * 80, "nested more than 64 deep"),
}


@pytest.mark.parametrize("name", NOT_STRICT)
@pytest.mark.parametrize("place", ["threshold", "metrics"])
def test_manifest_that_is_no_strict_json_is_refused(name, place, of_format, tmp_path):
    text, reason = NOT_STRICT[name]
    mark = "here it stands"
    change = policy(block=mark) if place == "threshold" else lambda m: m.update(metrics=[mark])
    manifest = with_manifest(of_format, change)["manifest"].tobytes()
    changed = manifest.replace(json.dumps(mark).encode(), text.encode())

    path = write(tmp_path, of_format | {"manifest": np.frombuffer(changed, np.uint8)})

    assert reason in refusal(ArtifactCorruptError, path)


def test_key_that_stands_twice_is_refused(of_format, tmp_path):
    changed = of_format["manifest"].tobytes().replace(b'"slope"', b'"slope": 1.0, "slope"')

    path = write(tmp_path, of_format | {"manifest": np.frombuffer(changed, np.uint8)})

    assert "the key 'slope' appears twice" in refusal(ArtifactCorruptError, path)


TURNED = {
    "steeper": (calibration(slope=3.0), "golden.probabilities"),
    "another prior": (calibration(shift=1e-3), "golden.probabilities"),
    "a free review": (policy(review_cost=0.0), "golden.decisions"),
    "cheaper blocks": (policy(friction=7.99), "golden.thresholds"),
    "anomalies reviewed": (policy(anomaly_review=2.5), "golden.anomaly_review"),
    "another anomaly": (lambda m: m["anomaly"]["scale"].update(threshold=9.9), "golden.anomaly_t"),
    "another end of the scale": (
        lambda m: m["fraud"]["score_scale"].update(tail_slope=-9.0),
        "golden.scores",
    ),
    "one knot of a scale": (
        lambda m: m["anomaly"]["scale"]["shares"].__setitem__(0, 1e-4),
        "golden.anomaly_scores",
    ),
    "another amount": (lambda m: m["features"].update(amount="V1"), "golden.amounts"),
    "another bound": (feature(minimum=-1.0), "golden.features"),
    "another typical value": (feature(central=1.0), "golden.features"),
    "another category": (
        lambda m: m["features"]["features"][4].update(categories=["grocery", "travel", "wine"]),
        "golden.rows",
    ),
}


@pytest.mark.parametrize("name", TURNED)
def test_possible_facts_that_answer_otherwise_are_refused(name, arrays, tmp_path):
    change, reason = TURNED[name]

    path = write(tmp_path, with_manifest(arrays, change))

    found = refusal(ArtifactCorruptError, path)
    assert reason in found
    assert "differ from the day it was written" in found


def test_renamed_feature_cannot_read_the_golden_transactions(arrays, tmp_path):
    path = write(
        tmp_path, with_manifest(arrays, lambda m: m["features"]["features"][1].update(name="V9"))
    )

    assert refusal(ArtifactFormatError, path) == (
        "the golden rows do not fit: row 0, V1: Unknown field. (and 127 more)"
    )


def test_artifact_that_claims_an_older_format_is_held_to_what_it_holds(arrays, tmp_path):
    path = write(tmp_path, with_manifest(arrays, lambda m: m.update(format=1)))

    assert "the golden rows do not fit" in refusal(ArtifactFormatError, path)


def test_reason_of_a_refusal_is_short_whatever_it_quotes(arrays, tmp_path):
    path = write(tmp_path, with_manifest(arrays, policy(kind="a" * 1_000_000)))

    assert len(refusal(ArtifactFormatError, path)) < 600


def test_facts_that_nothing_depends_on_may_be_anything_that_json_holds(arrays, tmp_path):
    def change(manifest):
        manifest.update(metrics={"auc": 1e300, "notes": ["été", None]}, seed=2**63 - 1)

    assert load(write(tmp_path, with_manifest(arrays, change))).manifest["seed"] == 2**63 - 1


def test_every_threshold_that_is_not_finite_is_refused_where_it_is_made():
    for value in (math.nan, math.inf):
        with pytest.raises(ConfigurationError, match="finite"):
            Policy(review=0.1, block=value)
