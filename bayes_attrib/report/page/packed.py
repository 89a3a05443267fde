"""Draws packed into the page: two bytes each, so that any two entities can be compared there."""

from __future__ import annotations

import base64
from typing import Any, Final

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray

_LEVELS: Final = 65_535


def pack_draws(draws: FloatArray, *, logarithmic: bool) -> dict[str, Any]:
    """Pack rows of draws as 16-bit steps of their own range.

    Whole numbers whose range is below 65,536 come back exactly, others to within half a step.
    Positive draws packed on the log scale come back with a relative error of half a step of the
    logarithm, which is below 1e-4 for a range of six orders of magnitude.

    Parameters
    ----------
    draws : ndarray, shape (n_rows, n_draws)
        Draws; positive if logarithmic.
    logarithmic : bool
        Whether steps are equal ratios.

    Returns
    -------
    dict
        ``low`` and ``step``, one number per row; ``log``; ``draws``: base64 of little-endian
        unsigned 16-bit integers, row after row.
    """
    values = np.log(draws) if logarithmic else draws
    low, high = values.min(axis=1), values.max(axis=1)
    step = (high - low) / _LEVELS
    whole = (not logarithmic) & (high - low <= _LEVELS) & (values == np.rint(values)).all(axis=1)
    step = np.where(whole | (step == 0), 1.0, step)
    codes = np.rint((values - low[:, np.newaxis]) / step[:, np.newaxis]).astype("<u2")
    return {
        "low": [float(f"{x:.9g}") for x in low.tolist()],
        "step": [float(f"{x:.9g}") for x in step.tolist()],
        "log": logarithmic,
        "draws": base64.b64encode(codes.tobytes()).decode("ascii"),
    }


def unpack_draws(packed: dict[str, Any], n_rows: int) -> FloatArray:
    """Return the draws that the page reads from a pack, shape (n_rows, n_draws).

    Parameters
    ----------
    packed : dict
        Of :func:`pack_draws`.
    n_rows : int
        Rows that were packed.
    """
    codes = np.frombuffer(base64.b64decode(packed["draws"]), dtype="<u2").reshape(n_rows, -1)
    low, step = (np.asarray(packed[key])[:, np.newaxis] for key in ("low", "step"))
    values = low + step * codes
    return np.exp(values) if packed["log"] else values
