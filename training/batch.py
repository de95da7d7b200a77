"""Scoring a whole table, in chunks, in the order of its rows."""

from __future__ import annotations

import os
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
from training.config import DataConfig
from training.errors import DataError
from training.spreadsheets import escaped
from training.table_reader import Rows, TableReader
from training.tables.plain import are_texts, decoded, look_of, texts_of
from training.tables.source import FileSource, FrameSource, Source

ROW = "row"  # column with the number of a row that has no identifier


def score_frame(
    scorer: Scorer,
    frame: pd.DataFrame,
    source: str,
    config: DataConfig | None = None,
    *,
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
    rows = FrameSource(frame, source)
    parts = list(_scored(scorer, rows, config or DataConfig(), has_reasons=has_reasons))
    return pd.concat(parts, ignore_index=True)


def _scored(
    scorer: Scorer,
    source: Source,
    config: DataConfig,
    on_note: Callable[[str], None] | None = None,
    *,
    has_reasons: bool,
) -> Iterator[pd.DataFrame]:
    reader = TableReader(source, scorer.spec, config)
    for note in reader.notes if on_note is not None else ():
        on_note(note)
    for rows in reader.rows():
        yield _scores_of(scorer, rows, source.name, has_reasons=has_reasons)


def _scores_of(scorer: Scorer, rows: Rows, source: str, *, has_reasons: bool) -> pd.DataFrame:
    result = pd.DataFrame(
        {
            key: _ids_of(rows.batch.column(key), key, source)
            for key in scorer.spec.id_keys
            if key in rows.batch.schema.names
        },
        index=range(len(rows.batch)),
    )
    if result.columns.empty:
        result[ROW] = range(rows.first_row, rows.first_row + len(rows.batch))
    scores, anomalies = None, None
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
    if has_reasons:
        if scores is not None:
            reasons = scorer.reasons(rows.matrix, scores)
        else:
            reasons = scorer.anomaly_reasons(rows.matrix, anomalies)
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


def read_row(
    data: Path, number: int, spec: FeatureSpec, config: DataConfig
) -> tuple[dict[str, Any], Matrix]:
    """Return one row of a table: its cells by name, and as a model reads them.

    Raises
    ------
    DataError
        If there is no such row (the first one is row 0), or it holds what it cannot.
    """
    n_rows = 0
    for rows in TableReader(FileSource(data, config.encoding), spec, config).rows():
        place = number - rows.first_row
        if 0 <= place < len(rows.batch):
            [cells] = rows.batch.slice(place, 1).to_pylist()
            return cells, rows.matrix[[place]]
        n_rows = rows.first_row + len(rows.batch)
    raise DataError(str(data), f"there is no row {number}: it has rows 0 to {n_rows - 1:,}")


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
    on_note: Callable[[str], None] | None = None,
    *,
    has_reasons: bool = False,
    escapes_formulas: bool = True,
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
    on_note : callable, optional
        Told how columns were read, where this is not plain, and how many texts were escaped.
    has_reasons : bool
        As :func:`score_frame`.
    escapes_formulas : bool
        Whether texts in a CSV file that a spreadsheet would run get a ``'`` before them.

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
    target = Path(os.path.realpath(output))  # a symbolic link stays one
    temporary = temporary_beside(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    n_escaped = 0

    def scored() -> Iterator[pd.DataFrame]:
        for result in _scored(artifact.scorer, source, config, on_note, has_reasons=has_reasons):
            if on_rows is not None:
                on_rows(len(result))
            yield result

    def written() -> Iterator[pd.DataFrame]:
        nonlocal n_escaped
        for frame in scored():
            part, n_new = escaped(frame)
            n_escaped += n_new
            yield part

    try:
        if output.suffix == ".csv":
            n_rows = _write_csv(written() if escapes_formulas else scored(), temporary)
        else:
            n_rows = _write_parquet(scored(), temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    if n_escaped and on_note is not None:
        on_note(
            f"{n_escaped:,} texts begin as a formula of a spreadsheet does and were written with ' "
            "before them: --no-escape-formulas writes them as they are"
        )
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
