"""Matrices of rows by draws that may be larger than memory."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from bayes_attrib.inputs.aggregate_data import FloatArray

IN_MEMORY_ELEMENTS = 32_000_000
"""Matrices of more elements (256 MB) live in a scratch file."""

BLOCK_ELEMENTS = 2_000_000
"""Elements of a block that is worked on at a time (16 MB per temporary)."""


class DrawMatrix:
    """One row of draws per quantity, in memory or, when large, in an unnamed scratch file.

    A scratch file is mapped, and its pages are handed back to the system after every access, so
    that resident memory stays bounded however many rows there are.

    Parameters
    ----------
    n_rows, n_draws : int
        Shape; the matrix starts as zeros.
    in_memory_elements : int
        Largest number of elements that is kept in memory.
    """

    def __init__(
        self, n_rows: int, n_draws: int, *, in_memory_elements: int = IN_MEMORY_ELEMENTS
    ) -> None:
        self.shape = (n_rows, n_draws)
        self._map: mmap.mmap | None = None
        if n_rows * n_draws <= in_memory_elements:
            self._values: FloatArray = np.zeros(self.shape)
            return
        with tempfile.TemporaryFile() as file:
            file.truncate(n_rows * n_draws * 8)
            self._map = mmap.mmap(file.fileno(), 0)
        self._values = np.frombuffer(self._map, dtype=np.float64).reshape(self.shape)

    @classmethod
    def of(cls, values: FloatArray) -> DrawMatrix:
        """Wrap an array of shape (n_rows, n_draws) without copying it."""
        matrix = cls(0, values.shape[1])
        matrix.shape = (values.shape[0], values.shape[1])
        matrix._values = values
        return matrix

    def rows(self, index: slice | npt.NDArray[np.integer[Any]]) -> FloatArray:
        """Return a copy of some rows, shape (n_chosen, n_draws)."""
        chosen = self._values[index]
        copy = chosen.copy() if isinstance(index, slice) else chosen
        self._release()
        return copy

    def add(self, index: npt.NDArray[np.integer[Any]], values: FloatArray) -> None:
        """Add to some rows; ``index`` holds each row once."""
        self._values[index] += values
        self._release()

    def blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield all rows in order, a block at a time, as slice and copy."""
        n_rows, n_draws = self.shape
        step = max(1, BLOCK_ELEMENTS // max(1, n_draws))
        for start in range(0, n_rows, step):
            block = slice(start, min(start + step, n_rows))
            yield block, self.rows(block)

    def _release(self) -> None:
        """Hand mapped pages back; their content stays in the file."""
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
