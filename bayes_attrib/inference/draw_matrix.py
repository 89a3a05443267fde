"""Matrices of rows by draws that may be larger than memory."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from bayes_attrib.inputs.aggregate_data import FloatArray

IN_MEMORY_ELEMENTS = 32_000_000
"""Matrices of more elements (256 MB) live in a scratch file."""

BLOCK_ELEMENTS = 2_000_000
"""Elements of a block that is worked on at a time (16 MB per temporary)."""

_BYTES = 8


class DrawMatrix:
    """One row of draws per quantity, in memory or, when large, in an unnamed scratch file.

    A scratch file is read and written row by row, not mapped: mapped pages would count as memory of
    the process, and random rows of a map drag their neighbours in.

    Parameters
    ----------
    n_rows, n_draws : int
        Shape; the matrix starts as zeros.
    in_memory_elements : int, optional
        Largest number of elements that is kept in memory; ``IN_MEMORY_ELEMENTS`` by default.
    """

    def __init__(self, n_rows: int, n_draws: int, *, in_memory_elements: int | None = None) -> None:
        limit = IN_MEMORY_ELEMENTS if in_memory_elements is None else in_memory_elements
        self.shape = (n_rows, n_draws)
        self._values: npt.NDArray[np.floating[Any]] | None = None
        self._file: BinaryIO | None = None
        if n_rows * n_draws <= limit:
            self._values = np.zeros(self.shape)
        else:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115, lives as long as self
            weakref.finalize(self, self._file.close)
            self._file.truncate(n_rows * n_draws * _BYTES)

    @classmethod
    def of(cls, values: npt.NDArray[np.floating[Any]]) -> DrawMatrix:
        """Wrap an array of shape (n_rows, n_draws) without copying it; rows come as doubles."""
        matrix = cls(0, values.shape[1])
        matrix.shape = (values.shape[0], values.shape[1])
        matrix._values = values
        return matrix

    def rows(self, index: slice | npt.NDArray[np.integer[Any]]) -> FloatArray:
        """Return a copy of some rows, shape (n_chosen, n_draws)."""
        if self._values is not None:
            return np.array(self._values[index], dtype=np.float64)
        if isinstance(index, slice):
            index = np.arange(self.shape[0])[index]
        rows = np.empty((len(index), self.shape[1]))
        self._transfer(index, rows, os.preadv)
        return rows

    def add(self, index: npt.NDArray[np.integer[Any]], values: FloatArray) -> None:
        """Add to some rows; ``index`` holds each row once."""
        if self._values is not None:
            self._values[index] += values
            return
        self._transfer(index, np.ascontiguousarray(self.rows(index) + values), os.pwritev)

    def thinned(self, step: int) -> DrawMatrix:
        """Return every k-th draw of every row, shape (n_rows, ceil(n_draws / step))."""
        if self._values is not None:
            return DrawMatrix.of(np.ascontiguousarray(self._values[:, ::step]))
        kept = DrawMatrix(self.shape[0], len(range(0, self.shape[1], step)))
        for block, rows in self.blocks():
            kept.add(np.arange(block.start, block.stop), rows[:, ::step])
        return kept

    def sums(self, weights: sp.csr_array) -> FloatArray:
        """Return weighted sums of rows, shape (n_sums, n_draws).

        Parameters
        ----------
        weights : sparse array, shape (n_sums, n_rows)
            Weights of the rows.
        """
        columns = weights.tocsc()
        total = np.zeros((weights.shape[0], self.shape[1]))
        for block, rows in self.blocks():
            total += columns[:, block] @ rows
        return total

    def _transfer(
        self,
        index: npt.NDArray[np.integer[Any]],
        rows: FloatArray,
        call: Callable[[int, Sequence[memoryview], int], int],
    ) -> None:
        """Read or write rows, each run of consecutive ones by one call of the system."""
        if self._file is None:
            raise AssertionError("a matrix in memory has no file")
        starts = np.flatnonzero(np.diff(index, prepend=index[:1] - 2) != 1)
        bounds = np.append(starts, len(index)) * (self.shape[1] * _BYTES)
        places = np.asarray(index, dtype=np.int64)[starts] * (self.shape[1] * _BYTES)
        file, content, done = self._file.fileno(), memoryview(rows).cast("B"), 0
        for start, stop, place in zip(
            bounds[:-1].tolist(), bounds[1:].tolist(), places.tolist(), strict=True
        ):
            done += call(file, [content[start:stop]], place)
        if done != rows.nbytes:
            raise OSError(
                f"the scratch file in {tempfile.gettempdir()} took {done} of {rows.nbytes} bytes; "
                "is the disk full? TMPDIR names another place for it"
            )

    def blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield all rows in order, a block at a time, as slice and copy."""
        n_rows, n_draws = self.shape
        step = max(1, BLOCK_ELEMENTS // max(1, n_draws))
        for start in range(0, n_rows, step):
            block = slice(start, min(start + step, n_rows))
            yield block, self.rows(block)
