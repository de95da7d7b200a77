"""Scoring a whole table, in chunks, in the order of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet

from model.artifact import Artifact
from model.decision import DECISIONS
from model.files import temporary_beside
from model.scorer import Scorer
from training.config import DataConfig
from training.errors import DataError
from training.table_reader import Rows, TableReader
from training.tables.plain import are_texts, decoded, look_of, texts_of
from training.tables.source import FileSource, FrameSource, Source


def score_frame(
    scorer: Scorer, frame: pd.DataFrame, source: str, config: DataConfig | None = None
) -> pd.DataFrame:
    """Return the scores of a frame, one row a row, beside its id column.

    Columns that the model does not know, the label among them, are ignored.

    Raises
    ------
    DataError
        If the model needs a column that is not there, or one holds what it cannot.
    """
    parts = list(_scored(scorer, FrameSource(frame, source), config or DataConfig()))
    return pd.concat(parts, ignore_index=True)


def _scored(scorer: Scorer, source: Source, config: DataConfig) -> Iterator[pd.DataFrame]:
    for rows in TableReader(source, scorer.spec, config).rows():
        yield _scores_of(scorer, rows, source.name)


def _scores_of(scorer: Scorer, rows: Rows, source: str) -> pd.DataFrame:
    result = pd.DataFrame(
        {
            key: _ids_of(rows.batch.column(key), key, source)
            for key in scorer.spec.id_keys
            if key in rows.batch.schema.names
        },
        index=range(len(rows.batch)),
    )
    if "fraud" in scorer.tasks:
        scores = scorer.score(rows.matrix)
        result["probability"] = scores.probability
        result["score"] = scores.score
        result["decision"] = [DECISIONS[code] for code in scores.decision.tolist()]
        interval = scorer.uncertainty(scores)
        if interval is not None:
            result["uncertainty_low"], result["uncertainty_high"] = interval
    if "anomaly" in scorer.tasks:
        anomalies = scorer.anomaly(rows.matrix)
        result["reconstruction_error"] = anomalies.reconstruction_error
        result["anomaly_score"] = anomalies.anomaly_score
        result["is_anomaly"] = anomalies.is_anomaly
    return result


def _ids_of(column: pyarrow.Array, key: str, source: str) -> pd.Series:
    """Return identifiers as they are: texts as written, whole numbers exact."""
    column = decoded(column)
    if look_of(column.type) == "bytes":
        if not are_texts(column):
            raise DataError(source, "holds bytes, which are no identifier", key)
        column = texts_of(column)
    return pd.Series(pd.array(column, dtype=pd.ArrowDtype(column.type)))


def score_file(
    artifact: Artifact,
    data: Path,
    output: Path,
    on_rows: Callable[[int], None] | None = None,
    config: DataConfig | None = None,
) -> int:
    """Score a table into another file, in bounded memory; return the number of rows.

    The output appears under its name when it is complete.

    Parameters
    ----------
    artifact : Artifact
    data : Path
        Of anything that can be trained on.
    output : Path
        Of a CSV or Parquet file.
    on_rows : callable, optional
        Told how many more rows are done.
    config : DataConfig, optional
        What is to be known of the cells of the table.

    Raises
    ------
    DataError
        As :func:`score_frame`, or if the output is of no known format.
    """
    if output.suffix not in (".csv", ".parquet"):
        raise DataError(str(output), "expected an output named .csv or .parquet")
    if output.resolve() == data.resolve():
        raise DataError(str(output), "the output would take the place of the input")
    config = config or DataConfig()
    source = FileSource(data, config.encoding)
    temporary = temporary_beside(output)
    output.parent.mkdir(parents=True, exist_ok=True)

    def scored() -> Iterator[pd.DataFrame]:
        for result in _scored(artifact.scorer, source, config):
            if on_rows is not None:
                on_rows(len(result))
            yield result

    try:
        write = _write_csv if output.suffix == ".csv" else _write_parquet
        n_rows = write(scored(), temporary)
        temporary.replace(output)
    finally:
        temporary.unlink(missing_ok=True)
    return n_rows


def _write_csv(frames: Iterator[pd.DataFrame], path: Path) -> int:
    n_rows = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        for frame in frames:
            frame.to_csv(file, index=False, header=not n_rows)
            n_rows += len(frame)
    return n_rows


def _write_parquet(frames: Iterator[pd.DataFrame], path: Path) -> int:
    n_rows, writer = 0, None
    try:
        for frame in frames:
            schema = None if writer is None else writer.schema
            part = pyarrow.Table.from_pandas(frame, schema=schema, preserve_index=False)
            writer = writer or pyarrow.parquet.ParquetWriter(path, part.schema)
            writer.write_table(part)
            n_rows += len(frame)
    finally:
        if writer is not None:
            writer.close()
    return n_rows
