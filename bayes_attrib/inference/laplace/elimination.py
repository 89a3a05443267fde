"""Solutions and draws for very large fields: a few common effects eliminated, then iteration.

With K the columns of G that are the entities' own and C the few others, conjugate gradients solve
(I + K K') s = r on the side of the totals, where vectors are shorter than on that of the entities
and where no common effect makes the equations stiff; what is left for the common effects is a small
matrix, solved exactly. Products with K take numbers of 32 bits, all sums those of 64.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from bayes_attrib.inference.laplace.expectations import Linearised
from bayes_attrib.inference.laplace.residuals import Residuals
from bayes_attrib.inputs.aggregate_data import FloatArray

MOST_COMMON = 64
"""Common effects that can be eliminated, at most."""

MOST_ITERATIONS = 400

_ACCURATE, _ROUGH = 1e-3, 0.03
"""Residual per element of what is solved for, and that of a step that others will follow."""

_COMMON = 1e-4
"""Residual of the columns of common effects, over their length."""

_BLOCK_ELEMENTS = 7_000_000
"""Elements of the right-hand sides that are solved for at a time (28 MB an array)."""

Float32Array = npt.NDArray[np.float32]


@dataclass
class Known:
    """Solutions of the solver before, where the next one begins.

    Attributes
    ----------
    common : ndarray, shape (n_aggregates, n_common), or None
        Solutions for the columns of common effects.
    """

    common: FloatArray | None = field(default=None)


class EliminationSolver:
    """Solves with I + G' G, and draws from the normal law with that precision.

    Parameters
    ----------
    linearised : Linearised
        Holds G.
    residuals : Residuals
        Where the quality of the solutions is noted.
    known : Known, optional
        What a solver nearby found; this one leaves its own there.
    """

    def __init__(
        self, linearised: Linearised, residuals: Residuals, known: Known | None = None
    ) -> None:
        self._residuals, self._known = residuals, known or Known()
        self._k, self._size = linearised.field.n_coarse, linearised.field.size
        self._common = linearised.dense_coarse()
        scale = linearised.scale[-1] * linearised.root
        shares = linearised.shares
        values = shares.data * np.repeat(scale, np.diff(shares.indptr))
        own = (values.astype(np.float32), shares.indices, shares.indptr)
        self._own = sp.csr_array(own, shape=shares.shape)
        self._own_by_entity = sp.csr_array(self._own.T)
        squares = np.add.reduceat(values**2, shares.indptr[:-1])
        self._diagonal = (1.0 + squares)[:, np.newaxis]
        self._tolerance = np.inf
        self._solved = (
            np.zeros_like(self._common) if self._known.common is None else self._known.common
        )

    @property
    def width(self) -> int:
        """Number of columns that are worked on at a time."""
        return max(1, _BLOCK_ELEMENTS // self._size)

    def solve(self, r: FloatArray) -> FloatArray:
        """Return H**-1 r for r of shape (size, n_columns)."""
        solution = np.empty_like(r)
        for first in range(0, r.shape[1], self.width):
            columns = slice(first, first + self.width)
            solution[:, columns] = self._solve(r[:, columns], _ACCURATE)
        return solution

    def approach(self, r: FloatArray) -> FloatArray:
        """Return H**-1 r roughly, for a step that will be followed by others."""
        return self._solve(r, _ROUGH)

    def noise(self, n: int, rng: np.random.Generator) -> Float32Array:
        """Draw from the normal law with mean 0 and precision H, shape (size, n), in 32 bits.

        First the common effects, and given them those of entities as Bhattacharya, Chakraborty and
        Mallick (2016, Biometrika 103) do: u - K' s, where (I + K K') s = K u + e.
        """
        self._refine(_COMMON)
        factor, _ = cho_factor(self._schur, lower=True)
        common = solve_triangular(factor, rng.standard_normal((self._k, n)), trans="T", lower=True)
        v = np.empty((self._size, n), dtype=np.float32)
        own = v[self._k :]
        rng.standard_normal(out=own, dtype=np.float32)
        right = self._own @ own + rng.standard_normal((len(self._common), n))
        s = self._iterate(right, np.full(n, float(self._size)), _ACCURATE)
        s += self._solved @ common
        own -= self._own_by_entity @ s.astype(np.float32)
        v[: self._k] = common
        return v

    def _solve(self, r: FloatArray, tolerance: float) -> FloatArray:
        self._refine(_COMMON if tolerance == _ACCURATE else _ROUGH)
        own = r[self._k :]
        squares = np.einsum("ij,ij->j", own, own)
        s = self._iterate(self._own @ own.astype(np.float32), squares, tolerance)
        result = np.empty(r.shape)
        common = cho_solve(cho_factor(self._schur, lower=True), r[: self._k] - self._common.T @ s)
        result[: self._k] = common
        s += self._solved @ common
        np.subtract(own, self._own_by_entity @ s.astype(np.float32), out=result[self._k :])
        return result

    def _refine(self, tolerance: float) -> None:
        """Solve for the columns of common effects, and for their precision given the rest out."""
        if tolerance >= self._tolerance:
            return
        squares = np.einsum("ij,ij->j", self._common, self._common)
        self._solved = self._iterate(self._common, squares, tolerance, self._solved)
        self._tolerance, self._known.common = tolerance, self._solved
        product = self._common.T @ self._solved
        self._schur = np.eye(self._k) + (product + product.T) / 2

    def _iterate(
        self,
        right: FloatArray,
        squares: FloatArray,
        tolerance: float,
        start: FloatArray | None = None,
    ) -> FloatArray:
        """Solve (I + K K') s = right by conjugate gradients with a diagonal preconditioner.

        A column stops when the square of its residual is at most the tolerance squared times its
        element of ``squares``; that bounds the error in the norm of the precision.
        """
        residual = np.array(right, dtype=np.float64)
        if start is None:
            x = np.zeros_like(residual)
        else:
            x = start.copy()
            residual -= self._apply(x)
        z = residual / self._diagonal
        rho, direction = np.einsum("ij,ij->j", residual, z), z
        bound = tolerance**2 * np.where(squares > 0, squares, 1.0)
        left = np.einsum("ij,ij->j", residual, residual)
        for _ in range(MOST_ITERATIONS):
            if np.all(left <= bound):
                break
            product = self._apply(direction)
            curvature = np.einsum("ij,ij->j", direction, product)
            step = np.divide(rho, curvature, out=np.zeros_like(rho), where=curvature > 0)
            x += step * direction
            residual -= step * product
            np.divide(residual, self._diagonal, out=product)
            previous, rho = rho, np.einsum("ij,ij->j", residual, product)
            left = np.einsum("ij,ij->j", residual, residual)
            direction *= np.divide(rho, previous, out=np.zeros_like(rho), where=previous > 0)
            direction += product
            self._residuals.products += 1
        if tolerance == _ACCURATE:
            worst = float(np.sqrt(np.max(left / bound))) * tolerance
            self._residuals.worst = max(self._residuals.worst, worst)
        return x

    def _apply(self, s: FloatArray) -> FloatArray:
        product = self._own @ (self._own_by_entity @ s.astype(np.float32))
        return product + s
