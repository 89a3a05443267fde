"""One experiment: what was switched off, when and where, and what that was measured to cost."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LiftTest:
    """A measured increment, and the exposures that it is about.

    Attributes
    ----------
    name : str
        Name of the test.
    subject : str
        What was switched off, such as ``"campaign Brand, geo north"``.
    first, last : str
        First and last period of the window; empty where the data have no time.
    increment : float
        Measured increment over the window, in the unit of the totals.
    standard_error : float
        Its standard error, positive.
    ratio : float
        Increment per unit of attributed amount, positive; 1 where what is attributed is what
        switching off takes away.
    edges : ndarray of int, shape (n_members,)
        Positions of the stored exposures that were switched off, increasing.
    """

    name: str
    subject: str
    first: str
    last: str
    increment: float
    standard_error: float
    ratio: float
    edges: IntArray

    def __post_init__(self) -> None:
        edges = np.unique(np.asarray(self.edges, dtype=np.int64))
        edges.flags.writeable = False
        object.__setattr__(self, "edges", edges)
        if not len(edges):
            raise ValueError(f"lift test {self.name!r} covers no exposure")
        numbers = (self.increment, self.standard_error, self.ratio)
        if not (np.isfinite(numbers).all() and self.standard_error > 0 and self.ratio > 0):
            raise ValueError(
                f"lift test {self.name!r} needs a finite increment, and a positive standard error "
                "and ratio"
            )

    @property
    def window(self) -> str:
        """The window in words; empty where the data have no time."""
        if not self.first:
            return ""
        return self.first if self.first == self.last else f"{self.first} to {self.last}"

    def moved(self, position: IntArray) -> LiftTest:
        """Return the test after exposures were put in another order.

        Parameters
        ----------
        position : ndarray of int, shape (n_edges,)
            New position of each stored exposure.
        """
        return replace(self, edges=position[self.edges])
