"""A table that is made and written a piece at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bayes_attrib.report.run_folder import RunFolder

MOST_ROWS: Final = 1 << 18
"""Rows of a piece: a few dozen megabytes at most, whatever the size of the table."""

TEXT: Final = pa.dictionary(pa.int32(), pa.string())
"""Names are stored once each, with a code per row."""

_FORMULA: Final = r"^([=+\-@\t\r])"


@dataclass(frozen=True, eq=False)
class Stream:
    """A table in pieces.

    Attributes
    ----------
    schema : pyarrow.Schema
        Columns with their types; its metadata say which run they are of.
    batches : iterator of pyarrow.RecordBatch
        Pieces of at most ``MOST_ROWS`` rows, made when they are asked for.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


def dictionary_of(labels: Sequence[str], *, escape_formulas: bool) -> pa.Array:
    """Return names as the dictionary of a column.

    Parameters
    ----------
    labels : sequence of str
        Names as given.
    escape_formulas : bool
        Whether ``'`` is put before names that a spreadsheet would take for a formula: those that
        begin with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return.

    Returns
    -------
    pyarrow.Array
        One text per name.
    """
    texts = pa.array(list(map(str, labels)), pa.string())
    return pc.replace_substring_regex(texts, _FORMULA, r"'\1") if escape_formulas else texts


def coded(codes: npt.NDArray[np.integer[Any]], dictionary: pa.Array) -> pa.DictionaryArray:
    """Return a column of names from their codes."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), dictionary)


def factorised(texts: pa.Array, *, escape_formulas: bool) -> pa.DictionaryArray:
    """Return a column of names from the names, empty ones included; nulls stay null."""
    encoded = texts.cast(pa.string()).dictionary_encode()
    labels = encoded.dictionary.to_pylist()
    return pa.DictionaryArray.from_arrays(
        encoded.indices, dictionary_of(labels, escape_formulas=escape_formulas)
    )


def numbers(values: npt.ArrayLike) -> pa.Array:
    """Return a column of numbers; NaN becomes null."""
    return pa.array(np.asarray(values, dtype=np.float64), pa.float64(), from_pandas=True)


def metadata_of(run: RunFolder) -> dict[str, str]:
    """Return what a file says of the run that it is of."""
    manifest = run.manifest
    facts = {
        "name": manifest.name,
        "spec_digest": manifest.spec_digest,
        "seed": manifest.seed,
        "verdict": run.diagnostics.verdict,
        "interval": manifest.spec.report.interval.model_dump(),
        "grand_total": manifest.data.grand_total,
        "currency": manifest.spec.report.currency,
    }
    return {"bayes_attrib": json.dumps(facts, ensure_ascii=False)}
