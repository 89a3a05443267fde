"""Chains as nutpie stores them: columns of Arrow in, arrays out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bayes_attrib.errors import FitError
from bayes_attrib.inference.chains import Chain

_TUNING = "tuning"


def read_chain(
    trace: Any, draws: int, variables: Iterable[str], statistics: Iterable[str]
) -> Chain:
    """Return the draws of the one chain that a sampler made, without those of tuning.

    Parameters
    ----------
    trace : object
        What ``nutpie.sample`` returns with ``return_raw_trace=True``.
    draws : int
        Number of draws that there should be.
    variables, statistics : iterable of str
        What is to be kept; variables that were not stored are left out.

    Returns
    -------
    Chain
        Arrays of their own, so that the trace can be let go.

    Raises
    ------
    FitError
        If there are fewer draws.
    """
    (values,), (told,) = trace.get_arrow_trace()
    n_tuning = int(_array(told.column(_TUNING), 0).sum())
    found = values.num_rows - n_tuning
    if found != draws:
        raise FitError(f"it stopped after {found} of {draws} draws")
    stored = set(values.column_names)
    return Chain(
        {name: _array(values.column(name), n_tuning) for name in variables if name in stored},
        {name: _array(told.column(name), n_tuning) for name in statistics},
    )


def _array(column: Any, first: int) -> npt.NDArray[Any]:
    """Copy a column from a row on, shape (n_rows, ...)."""
    shape = (column.field.metadata or {}).get(b"shape", b"").decode()
    rows = pa.array(column)[first:]
    if rows.null_count:
        raise FitError(f"{column.field.name!r} has {rows.null_count} draws without a value")
    flat = rows.flatten() if pa.types.is_nested(rows.type) else rows
    own = [int(size) for size in shape.split(",")] if shape else []
    return np.array(flat.to_numpy(zero_copy_only=False)).reshape(len(rows), *own)
