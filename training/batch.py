"""Scoring a whole table, in chunks, in the order of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet

from model.artifact import Artifact
from model.decision import DECISIONS
from model.features import FeatureSpec, Matrix
from model.files import temporary_beside
from model.reasons import MOST_REASONS, Reason
from model.scorer import Scorer
from training.data import matrix_of, text_columns
from training.errors import DataError
from training.table_files import read_chunks

ROW = "row"  # column with the number of a row that has no identifier


def score_frame(
    scorer: Scorer,
    frame: pd.DataFrame,
    source: str,
    *,
    first_row: int = 0,
    has_reasons: bool = False,
) -> pd.DataFrame:
    """Return the scores of a frame, one row a row, beside its id column or else its row numbers.

    Columns that the model does not know, the label among them, are ignored.

    Parameters
    ----------
    scorer : Scorer
    frame : DataFrame
    source : str
        Where it is from, for errors.
    first_row : int
        Number of its first row in the whole table, which begins with 0.
    has_reasons : bool
        Whether each row gets ``reason_1`` to ``reason_4`` and what each contributes.

    Raises
    ------
    DataError
        If the model needs a column that is not there, or one holds what it cannot.
    """
    matrix = matrix_of(frame, scorer.spec, source)
    ids = [key for key in scorer.spec.id_keys if key in frame.columns]
    result = frame[ids].reset_index(drop=True)
    if not ids:
        result = pd.DataFrame({ROW: range(first_row, first_row + len(frame))})
    scores, anomalies = None, None
    if "fraud" in scorer.tasks:
        scores = scorer.score(matrix)
        result["probability"] = scores.probability
        result["score"] = scores.score
        result["decision"] = [DECISIONS[code] for code in scores.decision.tolist()]
        interval = scorer.uncertainty(scores)
        if interval is not None:
            result["uncertainty_low"], result["uncertainty_high"] = interval
    if "anomaly" in scorer.tasks:
        anomalies = scorer.anomaly(matrix)
        result["reconstruction_error"] = anomalies.reconstruction_error
        result["anomaly_score"] = anomalies.anomaly_score
        result["is_anomaly"] = anomalies.is_anomaly
    if has_reasons:
        if scores is not None:
            reasons = scorer.reasons(matrix, scores)
        else:
            reasons = scorer.anomaly_reasons(matrix, anomalies)
        result = pd.concat([result, _reason_columns(reasons)], axis=1)
    return result


def _reason_columns(reasons: Sequence[Sequence[Reason]]) -> pd.DataFrame:
    """Return what speaks for each row's score, strongest first; null where there is no more."""
    columns: dict[str, pd.Series] = {}
    for place in range(MOST_REASONS):
        found = [each[place] if place < len(each) else None for each in reasons]
        codes = [None if reason is None else reason.code for reason in found]
        weights = [np.nan if reason is None else reason.contribution for reason in found]
        columns[f"reason_{place + 1}"] = pd.Series(codes, dtype="string")
        columns[f"contribution_{place + 1}"] = pd.Series(weights, dtype=np.float64)
    return pd.DataFrame(columns)


def read_row(data: Path, number: int, spec: FeatureSpec) -> tuple[dict[str, Any], Matrix]:
    """Return one row of a file: its cells by name, and as a model reads it.

    Raises
    ------
    DataError
        If there is no such row (the first one is row 0), or it holds what it cannot.
    """
    first = 0
    for frame in read_chunks(data, texts=text_columns(spec)):
        if first <= number < first + len(frame):
            row = frame.iloc[[number - first]]
            cells = row.astype(object).where(row.notna(), None).iloc[0].to_dict()
            return cells, matrix_of(row, spec, str(data))
        first += len(frame)
    raise DataError(str(data), f"there is no row {number}: it has rows 0 to {first - 1:,}")


def score_file(
    artifact: Artifact,
    data: Path,
    output: Path,
    on_rows: Callable[[int], None] | None = None,
    *,
    has_reasons: bool = False,
) -> int:
    """Score a CSV or Parquet file into another, in bounded memory; return the number of rows.

    The output appears under its name when it is complete.

    Raises
    ------
    DataError
        As :func:`score_frame`, or if the output is of no known format.
    """
    if output.suffix not in (".csv", ".parquet"):
        raise DataError(str(output), "expected an output named .csv or .parquet")
    if output.resolve() == data.resolve():
        raise DataError(str(output), "the output would take the place of the input")
    temporary = temporary_beside(output)
    output.parent.mkdir(parents=True, exist_ok=True)

    def scored() -> Iterator[pd.DataFrame]:
        first_row = 0
        for frame in read_chunks(data, texts=text_columns(artifact.scorer.spec)):
            result = score_frame(
                artifact.scorer, frame, str(data), first_row=first_row, has_reasons=has_reasons
            )
            first_row += len(frame)
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
