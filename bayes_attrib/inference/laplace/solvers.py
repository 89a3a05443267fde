"""Solutions of (I + G' G) v = r: exactly where the smaller side is small, else by iteration."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_factor, cho_solve

from bayes_attrib.inference.laplace.expectations import Linearised
from bayes_attrib.inference.laplace.residuals import Residuals
from bayes_attrib.inputs.aggregate_data import FloatArray

LARGEST_DENSE = 1500
"""Side of the largest matrix that is factorised as a dense one."""

MOST_ITERATIONS = 400

_ROUGH = 0.03
"""Residual over right-hand side of a step that will be followed by others."""

_BLOCK_ELEMENTS = 3_500_000
"""Elements of the right-hand sides that are solved for at a time (28 MB an array)."""


class Solver(Protocol):
    """Solves systems with the precision of the field."""

    def solve(self, r: FloatArray) -> FloatArray:
        """Return H**-1 r for r of shape (size, n_columns)."""

    def approach(self, r: FloatArray) -> FloatArray:
        """Return H**-1 r, as well as a step of an iteration needs it."""


def is_exact(n_aggregates: int, size: int) -> bool:
    """Whether a problem is small enough for exact solutions and determinants."""
    return min(n_aggregates, size) <= LARGEST_DENSE


class FieldSideSolver:
    """Factorises I + G' G itself: for a field that is smaller than the number of aggregates.

    Parameters
    ----------
    linearised : Linearised
        Holds G.
    """

    def __init__(self, linearised: Linearised) -> None:
        field, scale, root = linearised.field, linearised.scale, linearised.root
        stacked = sp.hstack([sp.csr_array(linearised.coarse), linearised.shares], format="csr")
        weighted = sp.csr_array(sp.diags_array(root) @ stacked)
        gram = (weighted.T @ weighted).toarray()
        gram = field.centre(field.centre(gram).T) * scale * scale[:, np.newaxis]
        gram[np.diag_indices_from(gram)] += 1.0
        self._factor = cho_factor(gram, lower=True, overwrite_a=True)
        self.log_det = 2.0 * float(np.log(np.diag(self._factor[0])).sum())

    def solve(self, r: FloatArray) -> FloatArray:
        """Return H**-1 r for r of shape (size, n_columns)."""
        return np.asarray(cho_solve(self._factor, r))

    approach = solve


class TotalsSideSolver:
    """Factorises I + G G': for fewer aggregates than elements (Woodbury's identity).

    Parameters
    ----------
    linearised : Linearised
        Holds G.
    """

    def __init__(self, linearised: Linearised) -> None:
        self._linearised = linearised
        coarse = linearised.dense_coarse()
        own = linearised.scale[-1] * linearised.root
        shares = sp.csr_array(sp.diags_array(own) @ linearised.shares)
        gram = (shares @ shares.T).toarray() + coarse @ coarse.T
        gram[np.diag_indices_from(gram)] += 1.0
        self._factor = cho_factor(gram, lower=True, overwrite_a=True)
        self.log_det = 2.0 * float(np.log(np.diag(self._factor[0])).sum())

    def solve(self, r: FloatArray) -> FloatArray:
        """Return H**-1 r for r of shape (size, n_columns)."""
        inner = cho_solve(self._factor, self._linearised.forward(r))
        return r - self._linearised.backward(inner)

    approach = solve


def exact_solver(linearised: Linearised) -> FieldSideSolver | TotalsSideSolver:
    """Return the solver that factorises the smaller side."""
    if linearised.field.size <= linearised.field.n_aggregates:
        return FieldSideSolver(linearised)
    return TotalsSideSolver(linearised)


class IterativeSolver:
    """Preconditioned conjugate gradients, many right-hand sides at a time.

    The preconditioner is a dense block for the coarse effects and the diagonal for the entities.

    Parameters
    ----------
    linearised : Linearised
        Holds G.
    residuals : Residuals
        Where the quality of the solutions is noted.
    tolerance : float
        Residual over right-hand side, in the norm of the preconditioner, at which a column stops.
    """

    def __init__(
        self, linearised: Linearised, residuals: Residuals, tolerance: float = 1e-3
    ) -> None:
        self._linearised = linearised
        self._residuals = residuals
        self._tolerance = tolerance
        self._k = linearised.field.n_coarse
        squared = linearised.shares.copy()
        squared.data = squared.data**2
        own = linearised.scale[-1] ** 2 * (squared.T @ linearised.root**2)
        self._diagonal = 1.0 + own[:, np.newaxis]
        self._block = self._factorise_block()

    def _factorise_block(self) -> Any:
        if self._k > LARGEST_DENSE:
            coarse = self._linearised.coarse
            weighted = coarse.multiply(self._linearised.root[:, np.newaxis]).power(2).sum(axis=0)
            return 1.0 + (np.asarray(weighted) * self._linearised.scale[: self._k] ** 2)[:, None]
        coarse = self._linearised.dense_coarse()
        return cho_factor(np.eye(self._k) + coarse.T @ coarse, lower=True)

    def _precondition(self, r: FloatArray) -> FloatArray:
        k = self._k
        coarse = (
            cho_solve(self._block, r[:k]) if isinstance(self._block, tuple) else r[:k] / self._block
        )
        result = np.empty_like(r)
        result[:k] = coarse
        np.divide(r[k:], self._diagonal, out=result[k:])
        return result

    @property
    def width(self) -> int:
        """Number of columns that are worked on at a time."""
        return max(1, _BLOCK_ELEMENTS // self._linearised.field.size)

    def solve(self, r: FloatArray) -> FloatArray:
        """Return H**-1 r for r of shape (size, n_columns)."""
        if r.shape[1] <= self.width:
            return self._solve(np.ascontiguousarray(r), self._tolerance)
        solution = np.empty_like(r)
        for first in range(0, r.shape[1], self.width):
            columns = slice(first, first + self.width)
            solution[:, columns] = self._solve(np.ascontiguousarray(r[:, columns]), self._tolerance)
        return solution

    def approach(self, r: FloatArray) -> FloatArray:
        """Return H**-1 r roughly, for a step that will be followed by others."""
        return self._solve(r, _ROUGH)

    def _solve(self, r: FloatArray, tolerance: float) -> FloatArray:
        x, residual = np.zeros_like(r), np.array(r)
        z = self._precondition(residual)
        rho = np.einsum("ij,ij->j", residual, z)
        start, direction = np.where(rho > 0, rho, 1.0), z
        for _ in range(MOST_ITERATIONS):
            if np.all(rho <= tolerance**2 * start):
                break
            product = direction + self._linearised.backward(self._linearised.forward(direction))
            curvature = np.einsum("ij,ij->j", direction, product)
            step = np.divide(rho, curvature, out=np.zeros_like(rho), where=curvature > 0)
            x += step * direction
            residual -= step * product
            z = self._precondition(residual)
            previous, rho = rho, np.einsum("ij,ij->j", residual, z)
            ratio = np.divide(rho, previous, out=np.zeros_like(rho), where=previous > 0)
            direction *= ratio
            direction += z
            self._residuals.products += 1
        worst = float(np.sqrt(np.max(rho / start)))
        if tolerance == self._tolerance:
            self._residuals.worst = max(self._residuals.worst, worst)
        return x
