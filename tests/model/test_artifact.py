"""The artifact: what is saved is what is loaded, bit by bit."""

import json
import zipfile
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from model import MLP
from model.artifact import FORMAT, load, save
from model.card import describe
from model.decision import Policy
from model.errors import ArtifactError
from model.golden import golden_rows, golden_transactions
from tests.factories import save_tiny, tiny_scorer
from tests.model.artifacts import arrays_in, version_of, write


@pytest.fixture(scope="session")
def artifact(tmp_path_factory):
    """Return a small artifact with both networks."""
    return save_tiny(tmp_path_factory.mktemp("artifact"))


VARIANTS = {
    "both networks": {},
    "classifier alone": {"tasks": "fraud"},
    "autoencoder alone": {"tasks": "anomaly"},
    "single network": {"members": None},
    "no bins": {"n_bins": 0},
    "cost policy": {"policy": Policy("cost", friction=5.0, review_cost=1.0, anomaly_review=0.99)},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_loaded_scorer_scores_exactly_as_the_saved_one(name, tmp_path, rows):
    scorer = tiny_scorer(**VARIANTS[name])

    loaded = save(tmp_path, scorer, golden_rows(scorer.spec, np.random.default_rng(1)), {}).scorer

    assert (loaded.name, loaded.spec, loaded.tasks) == (scorer.name, scorer.spec, scorer.tasks)
    if scorer.fraud is not None:
        expected, found = scorer.score(rows), loaded.score(rows)
        np.testing.assert_array_equal(found.logits, expected.logits)
        np.testing.assert_array_equal(found.probability, expected.probability)
        np.testing.assert_array_equal(found.decision, expected.decision)
        np.testing.assert_array_equal(found.score, expected.score)
        assert loaded.reasons(rows) == scorer.reasons(rows)
        assert loaded.fraud.policy == scorer.fraud.policy
    if scorer.anomalies is not None:
        np.testing.assert_array_equal(loaded.anomaly(rows).shares, scorer.anomaly(rows).shares)
        assert loaded.anomalies.scale == scorer.anomalies.scale


def test_networks_with_statistics_are_saved_with_them(tmp_path, rows, rng):
    scorer = tiny_scorer(tasks="fraud")
    mlp = type(scorer.fraud.mlp)(
        [scorer.preprocessor.n_encoded, 8, 8, 1],
        members=2,
        batch_norm=True,
        residual=True,
        drop_probability=0.2,
        dtype=np.float32,
        rng=rng,
    )
    mlp.forward(scorer.preprocessor.transform(rows))
    scorer = replace(scorer, fraud=replace(scorer.fraud, mlp=mlp))

    loaded = save(tmp_path, scorer, rows[:5], {}).scorer

    np.testing.assert_array_equal(loaded.logits(rows), scorer.logits(rows))


def test_same_inputs_give_the_same_bytes(tmp_path):
    first, second = (save_tiny(tmp_path / name) for name in ("a", "b"))

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path.name == second.path.name
    assert first.sha256 == second.sha256


def test_file_knows_no_clock(artifact):
    with zipfile.ZipFile(artifact.path) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        names = archive.namelist()

    assert names == sorted(names)


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"members": 3}, {"name": "other"}, {"policy": Policy(review=0.1, block=0.6)}],
)
def test_any_other_input_gives_another_version(change, artifact, tmp_path):
    assert save_tiny(tmp_path, **change).version != artifact.version


def test_version_is_the_digest_of_arrays_and_manifest(artifact):
    assert artifact.version == version_of(arrays_in(artifact.path)) == artifact.path.stem
    assert len(artifact.version) == 12
    assert artifact.sha256 == sha256(artifact.path.read_bytes()).hexdigest()


def test_manifest_says_what_training_said(artifact):
    manifest = json.loads(arrays_in(artifact.path)["manifest"].tobytes())

    assert manifest == artifact.manifest
    assert manifest["format"] == FORMAT == 2
    assert (manifest["name"], manifest["seed"], manifest["base_rate"]) == ("tiny", 0, 0.2)


def test_arrays_are_plain_numbers_and_texts(artifact):
    kinds = {array.dtype.kind for array in arrays_in(artifact.path).values()}

    assert kinds <= set("fiubU")


def test_file_written_by_another_program_is_as_good(artifact, tmp_path, rows):
    """The format is arrays in a zip archive, and not our way of writing one."""
    path = write(tmp_path, arrays_in(artifact.path))

    loaded = load(str(path))

    assert loaded.version == artifact.version
    np.testing.assert_array_equal(loaded.scorer.logits(rows), artifact.scorer.logits(rows))


def test_saving_again_replaces_nothing_and_leaves_nothing_behind(tmp_path):
    for _ in range(2):
        artifact = save_tiny(tmp_path / "deep" / "folder")

    assert [path.name for path in artifact.path.parent.iterdir()] == [f"{artifact.version}.npz"]


def test_golden_rows_are_synthetic_and_kept(artifact):
    spec = artifact.scorer.spec
    transactions, expected = golden_transactions(spec, golden_rows(spec, np.random.default_rng(1)))

    arrays = arrays_in(artifact.path)

    assert expected.shape == (64, 6)
    np.testing.assert_array_equal(arrays["golden.rows"], expected)
    assert json.loads(arrays["golden.transactions"].tobytes()) == transactions
    assert artifact.golden_transactions == transactions


def test_facts_that_json_cannot_hold_are_refused_before_anything_is_written(tmp_path):
    scorer = tiny_scorer()

    with pytest.raises(ValueError, match="not JSON compliant"):
        save(tmp_path / "new", scorer, np.zeros((1, 6)), {"metrics": float("nan")})

    assert not (tmp_path / "new").exists()


def test_scorer_that_cannot_be_loaded_back_is_reported(tmp_path, rng):
    scorer = tiny_scorer(tasks="fraud")
    broken = MLP([scorer.preprocessor.n_encoded, 1], rng=rng)
    broken.parameters[:] = np.nan
    scorer = replace(scorer, fraud=replace(scorer.fraud, mlp=broken))

    with pytest.raises(ArtifactError, match="not finite"):
        save(tmp_path, scorer, scorer.spec.central_row(), {})


def test_card_tells_what_the_model_is(artifact):
    card = describe(artifact)

    assert json.loads(json.dumps(card)) == card
    assert (card["name"], card["version"], card["sha256"]) == (
        "tiny",
        artifact.version,
        artifact.sha256,
    )
    assert card["tasks"] == ["anomaly", "fraud"]
    assert card["base_rate"] == 0.2
    assert [feature["name"] for feature in card["features"]] == list(artifact.scorer.spec.names)
    assert card["features"][0]["unit"] == "EUR"
    assert card["id_keys"] == ["transaction_id", "payment_id"]
    assert card["amount"] == "Amount"
    assert card["policy"] == artifact.scorer.fraud.policy.to_dict()
    assert card["n_parameters"] == artifact.scorer.fraud.mlp.n_parameters
    assert card["anomaly_threshold"] == artifact.scorer.anomalies.scale.threshold
    assert not {"fraud", "anomaly"} & set(card)


def test_card_of_one_network_leaves_the_other_out(tmp_path):
    fraud, anomaly = (describe(save_tiny(tmp_path, tasks=task)) for task in ("fraud", "anomaly"))

    assert (fraud["tasks"], anomaly["tasks"]) == (["fraud"], ["anomaly"])
    assert "anomaly_threshold" not in fraud
    assert not {"policy", "n_parameters"} & set(anomaly)
