"""Draws of totals that are estimates themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class DrawnTotals:
    """Draws of all totals, from whatever estimated them.

    Attributes
    ----------
    values : ndarray, shape (n_aggregates, n_draws)
        Draws in the unit of the totals, finite and not negative; a column is one draw of all.
    is_joint : bool
        Whether draws of different aggregates belong together; those that were made from standard
        deviations alone do not.
    """

    values: npt.NDArray[np.float64]
    is_joint: bool = True

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        if values.ndim != 2 or not np.all(np.isfinite(values) & (values >= 0)):
            raise ValueError("draws of totals are a matrix of finite numbers that are not negative")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return int(self.values.shape[1])
