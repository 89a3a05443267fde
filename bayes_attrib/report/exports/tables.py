"""The two tables of a run as streams."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bayes_attrib import names
from bayes_attrib.report.exports.stream import (
    MOST_ROWS,
    TEXT,
    Stream,
    coded,
    dictionary_of,
    factorised,
    metadata_of,
    numbers,
)
from bayes_attrib.report.run_folder import RunFolder


def attribution_stream(run: RunFolder, *, escape_formulas: bool = False) -> Stream:
    """Return ``attribution.csv`` with typed columns, in its order.

    Parameters
    ----------
    run : RunFolder
        The run.
    escape_formulas : bool
        Whether names that look like formulas get a ``'`` before them.

    Returns
    -------
    Stream
        Columns as in ``attribution.csv``, ``n_aggregates`` as whole numbers, and ``truth_amount``
        null where it is not known.
    """
    table = run.attribution
    columns = {
        str(name): _column(str(name), values, escape_formulas=escape_formulas)
        for name, values in table.items()
    }
    whole = pa.table(columns).replace_schema_metadata(metadata_of(run)).combine_chunks()
    return Stream(whole.schema, iter(whole.to_batches(max_chunksize=MOST_ROWS)))


def _column(name: str, values: pd.Series, *, escape_formulas: bool) -> pa.Array:
    if name == "n_aggregates":
        return pa.array(values.to_numpy(dtype=np.int64))
    if values.dtype.kind == "f":
        return numbers(values)
    return factorised(pa.array(list(map(str, values))), escape_formulas=escape_formulas)


def cells_stream(run: RunFolder, *, escape_formulas: bool = False) -> Stream:
    """Return ``cells.parquet``, read and passed on a piece at a time.

    Parameters
    ----------
    run : RunFolder
        The run.
    escape_formulas : bool
        Whether names that look like formulas get a ``'`` before them.

    Returns
    -------
    Stream
        Columns as in ``cells.parquet``: keys as names, all else as numbers.
    """
    file = pq.ParquetFile(run.path / names.CELLS_FILE)
    columns = run.spec.columns
    keys = [*columns.aggregate, columns.entity]
    known = {key: _labels(file, key) for key in keys}
    dictionaries = {
        key: dictionary_of(list(labels), escape_formulas=escape_formulas)
        for key, labels in known.items()
    }
    schema = pa.schema(
        [(name, TEXT if name in keys else pa.float64()) for name in file.schema_arrow.names],
        metadata=metadata_of(run),
    )

    def _batches() -> Iterator[pa.RecordBatch]:
        for batch in file.iter_batches(batch_size=MOST_ROWS):
            arrays = [
                coded(
                    known[name].get_indexer(pd.Index(_texts(batch.column(name)), dtype=object)),
                    dictionaries[name],
                )
                if name in known
                else numbers(batch.column(name).to_numpy(zero_copy_only=False))
                for name in schema.names
            ]
            yield pa.record_batch(arrays, schema=schema)

    return Stream(schema, _batches())


def _labels(file: pq.ParquetFile, key: str) -> pd.Index:
    """Distinct names of a key in order of appearance."""
    found: dict[str, None] = {}
    for batch in file.iter_batches(batch_size=MOST_ROWS, columns=[key]):
        found |= dict.fromkeys(_texts(batch.column(0).unique()))
    return pd.Index(list(found), dtype=object)


def _texts(values: pa.Array) -> list[str]:
    return [str(value) for value in values.to_pylist()]
