"""Rounding of simulated numbers, so that they are the same on every processor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def round_significant(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Round to nine significant digits: exp and log differ in the last bits between processors.

    Parameters
    ----------
    values : ndarray of float, any shape
        Finite numbers.

    Returns
    -------
    ndarray of float, same shape
        The nearest numbers with nine significant digits.
    """
    rounded = [float(f"{value:.9g}") for value in values.ravel().tolist()]
    return np.array(rounded).reshape(values.shape)
