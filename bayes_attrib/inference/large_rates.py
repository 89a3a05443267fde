"""Draws of the rates of very many entities: in single precision, and once."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import FloatArray

MOST_DOUBLES: Final = 2**25
"""Draws of rates, over all entities, that are kept as doubles, with their logarithms (2 x 256 MB).

Beyond, rates are rounded to single precision before anything is made from them, to a relative
6e-8, and logarithms are taken when they are asked for; so what a run stores is what it used.
"""

RateArray = npt.NDArray[np.floating[Any]]


def is_large(n_elements: int) -> bool:
    """Tell whether so many draws of rates are kept in single precision, without logarithms."""
    return n_elements > MOST_DOUBLES


def rates_of(log_rates: FloatArray, dtype: npt.DTypeLike) -> RateArray:
    """Return rates of a precision, none so small that it would have no logarithm."""
    smallest = np.finfo(dtype).tiny
    return np.maximum(np.exp(log_rates, dtype=np.float64), smallest).astype(dtype, copy=False)


class RateDraws:
    """Room for the draws of all rates, filled a few draws at a time.

    Parameters
    ----------
    n_entities, n_draws : int
        Shape.
    """

    def __init__(self, n_entities: int, n_draws: int) -> None:
        dtype = np.float32 if is_large(n_entities * n_draws) else np.float64
        self._log_rates = None if dtype == np.float32 else np.empty((n_entities, n_draws))
        self._rates: RateArray = np.empty((n_entities, n_draws), dtype=dtype)
        self._filled = 0

    @classmethod
    def of(cls, log_rates: FloatArray) -> Self:
        """Hold draws of log rates, shape (n_entities, n_draws), that are there already."""
        draws = cls(*log_rates.shape)
        draws.add(log_rates)
        return draws

    def add(self, log_rates: FloatArray) -> None:
        """Add draws, shape (n_entities, n_new), after those that are there."""
        span = slice(self._filled, self._filled + log_rates.shape[1])
        if self._log_rates is not None:
            self._log_rates[:, span] = log_rates
        self._rates[:, span] = rates_of(log_rates, self._rates.dtype)
        self._filled = span.stop

    def variables(self) -> dict[str, RateArray]:
        """Return ``rate``, and ``log_rate`` where it is kept, of shape (n_entities, n_draws)."""
        if self._filled != self._rates.shape[1]:
            raise AssertionError(f"{self._filled} of {self._rates.shape[1]} draws were added")
        if self._log_rates is None:
            return {names.RATE: self._rates}
        return {names.LOG_RATE: self._log_rates, names.RATE: self._rates}
