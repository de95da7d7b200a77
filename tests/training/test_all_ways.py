"""The same table by every way: one matrix, the same scores, the same identifiers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import create_app
from model.features import Feature, FeatureSpec
from tests.training.runs import train
from tests.training.tables import mixed_frame
from training.batch import score_file, score_frame
from training.config import DataConfig
from training.data import load
from training.errors import DataError
from training.promote import promote
from training.table_reader import TableReader
from training.tables.source import FileSource, FrameSource

CASES = Path(__file__).parents[3] / "shared" / "cases"
SPEC = FeatureSpec(
    (
        Feature("number", nullable=True),
        Feature("flag", "boolean", nullable=True),
        Feature("country", "categorical", nullable=True, categories=("DE", "NA", "null", "x")),
        Feature("moment", "datetime", nullable=True),
    ),
    id_column="ref",
)
NUMBERS = st.none() | st.floats(-1e12, 1e12) | st.integers(-(2**60), 2**60)
WORDS = st.sampled_from(["NA", "DE", "null", "x", "y", "-", "nan", "007", 'a "quoted", text', "é"])
MOMENTS = st.none() | st.datetimes(pd.Timestamp("1902-01-01"), pd.Timestamp("2099-12-30"))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "ref": st.none() | st.integers(0, 2**63 - 1),
            "number": NUMBERS.map(lambda x: None if x is None else float(x)),
            "flag": st.sampled_from([True, False, None]),
            "country": st.none() | WORDS | st.just(""),
            "moment": MOMENTS,
        }
    ),
    min_size=1,
    max_size=12,
)


def columns_of(rows):
    """Return rows as an Arrow table."""
    types = {
        "ref": pa.int64(),
        "number": pa.float64(),
        "flag": pa.bool_(),
        "country": pa.string(),
        "moment": pa.timestamp("us"),
    }
    return pa.table({name: pa.array([r[name] for r in rows], t) for name, t in types.items()})


def as_json(row):
    """Return a row as a client sends it."""
    moment = row["moment"]
    sent = {**row, "moment": None if moment is None else moment.isoformat()}
    del sent["ref"]
    return json.loads(json.dumps(sent))


def written(value):
    """Return a value as a CSV file holds it."""
    if value is None:
        return ""
    text = value.isoformat(" ") if isinstance(value, pd.Timestamp) else str(value)
    return '"' + text.replace('"', '""') + '"'


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS)
def test_one_matrix_by_file_frame_and_request(tmp_path, rows):
    table = columns_of(rows)
    pq.write_table(table, tmp_path / "t.parquet")
    rows = [{k: pd.Timestamp(v) if k == "moment" and v else v for k, v in r.items()} for r in rows]
    names = ["ref", *SPEC.names]
    lines = [",".join(names), *(",".join(written(row[n]) for n in names) for row in rows)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ids = [row["ref"] for row in rows]

    expected = SPEC.matrix_from_rows([as_json(row) for row in rows])
    sources = {
        "csv": FileSource(tmp_path / "t.csv"),
        "parquet": FileSource(tmp_path / "t.parquet"),
        "arrow frame": FrameSource(table.to_pandas(types_mapper=pd.ArrowDtype), "frame"),
        "objects": FrameSource(pd.DataFrame(rows, dtype=object), "objects"),
    }
    for way, source in sources.items():
        found = list(TableReader(source, SPEC, DataConfig()).rows())
        matrix = np.concatenate([part.matrix for part in found])
        np.testing.assert_array_equal(matrix, expected, err_msg=way)
        echoed = [i for part in found for i in part.batch.column("ref").to_pylist()]
        assert [None if i is None else int(i) for i in echoed] == ids, way


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return a model, and a client of a service over it."""
    folder = tmp_path_factory.mktemp("ways")
    frame = mixed_frame(900).assign(merchant=lambda f: f["merchant"].replace("fuel", "NA"))
    frame["payment_id"] = 2**53 + np.arange(900)
    artifact = train(frame, folder).artifact
    promote(artifact.path.parent, artifact.version)
    app = create_app({"MODEL_DIR": artifact.path.parent})
    return artifact, app.test_client()


def test_scores_and_ids_are_the_same_by_every_way(served, tmp_path):
    artifact, client = served
    frame = mixed_frame(120, seed=4).drop(columns="is_fraud")
    frame["merchant"] = frame["merchant"].replace("fuel", "NA")
    frame["payment_id"] = 2**53 + 1 + 2 * np.arange(120)
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    rows[5]["merchant"] = ""
    rows = [{**row, "payment_id": str(row["payment_id"])} for row in rows]
    frame.loc[5, "merchant"] = None
    frame.to_csv(tmp_path / "new.csv", index=False)
    frame.to_parquet(tmp_path / "new.parquet")

    by_frame = score_frame(artifact.scorer, frame, "new")
    answers = client.post("/predict", json=rows).get_json()["predictions"]
    for name in ("new.csv", "new.parquet"):
        score_file(artifact, tmp_path / name, tmp_path / "out.csv")
        out = pd.read_csv(tmp_path / "out.csv", dtype={"payment_id": str})
        assert out["payment_id"].tolist() == frame["payment_id"].astype(str).tolist()
        np.testing.assert_array_equal(out["probability"], by_frame["probability"])
    assert [a["payment_id"] for a in answers] == frame["payment_id"].astype(str).tolist()
    np.testing.assert_allclose(
        [a["probability"] for a in answers], by_frame["probability"], rtol=1e-5, atol=1e-7
    )


def test_ids_beyond_exact_floats_stay_apart_across_chunks_and_gaps(served, tmp_path, monkeypatch):
    artifact, _ = served
    frame = mixed_frame(60, seed=5)
    ids = [None if n % 7 == 3 else 2**53 + n for n in range(60)]
    table = pa.Table.from_pandas(frame.drop(columns="payment_id"), preserve_index=False)
    table = table.append_column("payment_id", pa.array(ids, pa.int64()))
    pq.write_table(table, tmp_path / "new.parquet")
    monkeypatch.setattr("training.column_scan.BATCH_CELLS", 100)

    for name in ("out.csv", "out.parquet"):
        score_file(artifact, tmp_path / "new.parquet", tmp_path / name)
    texts = pd.read_csv(tmp_path / "out.csv", dtype=str)["payment_id"]
    exact = pq.read_table(tmp_path / "out.parquet").column("payment_id")

    assert [None if pd.isna(text) else int(text) for text in texts] == ids
    assert exact.to_pylist() == ids


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder of shared cases is not there")
@pytest.mark.parametrize("path", sorted(CASES.glob("*.[cp]*")), ids=lambda path: path.name)
def test_shared_cases_are_read_or_refused_by_name(path):
    id_column = "payment_id" if path.name.startswith("large_ids") else None
    config = DataConfig(path=str(path), id=id_column)
    if path.name == "date_unknown_row3.csv":
        with pytest.raises(DataError, match=r"'created_at'.*row 3: 'unknown'"):
            load(config)
        return
    table = load(config)
    kinds = {feature.name: feature.kind for feature in table.spec.features}
    assert kinds["amount"] == "numeric"
    assert kinds.get("created_at", "datetime") == "datetime"
    assert "uid" not in kinds
    if "country" in kinds:
        assert "NA" in table.spec.features[1].categories
    if path.name == "text_as_bytes.parquet":
        assert table.spec.features[2].categories == ("app", "pos", "web")


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder of shared cases is not there")
def test_shared_case_of_a_country_gives_one_matrix_by_all_ways():
    tables = [load(DataConfig(path=str(CASES / f"country_na.{s}"))) for s in ("csv", "parquet")]
    row = json.loads((CASES / "country_na.json").read_text())

    np.testing.assert_array_equal(tables[0].matrix, tables[1].matrix)
    codes = tables[0].spec.features[1].codes
    assert tables[0].spec.matrix_from_rows([row])[0, 1] == codes["NA"]
