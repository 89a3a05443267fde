"""The delivery profiles of cells: which part of its period's delivery falls into each slot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Profiles:
    """Shares of slots, in compressed rows: one row per profile, which cells may have in common.

    Attributes
    ----------
    of_cell : ndarray of int, shape (n_cells,)
        Profile of every cell, -1 for cells that have nothing to downscale.
    indptr : ndarray of int, shape (n_profiles + 1,)
        Slots of profile i are ``slot[indptr[i]:indptr[i + 1]]``.
    slot : ndarray of int, shape (n_entries,)
        Slots of each profile in the order of time, each once.
    share : ndarray of float, shape (n_entries,)
        Part of the profile in the slot; zero or more, sums to one within a profile.
    """

    of_cell: IntArray
    indptr: IntArray
    slot: IntArray
    share: FloatArray

    @classmethod
    def of_weights(
        cls, of_cell: npt.ArrayLike, indptr: npt.ArrayLike, slot: npt.ArrayLike, weight: FloatArray
    ) -> Profiles:
        """Normalise weights to shares.

        Parameters
        ----------
        of_cell, indptr, slot : array_like of int
            As in the attributes.
        weight : ndarray of float, shape (n_entries,)
            Finite, not negative, with a positive sum within each profile.

        Returns
        -------
        Profiles
            Shares.

        Raises
        ------
        ValueError
            If a profile is empty, or all of it is zero, or a weight is negative or no number.
        """
        pointers = np.asarray(indptr, dtype=np.int64)
        if not np.all(np.isfinite(weight) & (weight >= 0)) or (np.diff(pointers) <= 0).any():
            raise ValueError("profiles need slots, and weights that are finite and not negative")
        sizes, starts = np.diff(pointers), pointers[:-1]
        share = np.array(weight, dtype=np.float64)
        for scale in (np.maximum.reduceat, np.add.reduceat):  # sums alone could overflow
            whole = scale(share, starts) if len(starts) else np.zeros(0)
            if not np.all(whole > 0):
                raise ValueError("a profile has no positive weight")
            share = share / np.repeat(whole, sizes)
        return cls(
            np.asarray(of_cell, dtype=np.int64), pointers, np.asarray(slot, dtype=np.int64), share
        )

    @cached_property
    def cells(self) -> IntArray:
        """The cells that are downscaled, in their own order."""
        return np.flatnonzero(self.of_cell >= 0).astype(np.int64)

    @cached_property
    def sizes(self) -> IntArray:
        """Number of slots of each of :attr:`cells`."""
        return np.diff(self.indptr)[self.of_cell[self.cells]].astype(np.int64)

    @property
    def n_rows(self) -> int:
        """Number of (cell, slot) pairs."""
        return int(self.sizes.sum())

    def entries(self, profile: int) -> slice:
        """Return where the slots of a profile are."""
        return slice(int(self.indptr[profile]), int(self.indptr[profile + 1]))
