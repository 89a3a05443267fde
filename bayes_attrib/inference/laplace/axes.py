"""A density of the hyperparameters: a product of one-dimensional densities along rotated axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from bayes_attrib.inputs.aggregate_data import FloatArray

REACH = 8.0
"""The density ends so many units from the centre; a unit is the sd that the curvature says."""

_CELLS = 1600


@dataclass(frozen=True, eq=False)
class AxisDensity:
    """A density on cells of equal width, from ``-REACH`` to ``REACH``.

    Attributes
    ----------
    log_density : ndarray, shape (n_cells,)
        Normalised.
    """

    log_density: FloatArray

    @classmethod
    def through(cls, positions: FloatArray, heights: FloatArray) -> AxisDensity:
        """Interpolate log densities, and continue them on either side.

        Between the positions, the curve keeps the shape of the values (no new peaks). Beyond them
        it falls as steeply as over the last interval, which is how the density of the logarithm of
        a spread falls towards zero.

        Parameters
        ----------
        positions, heights : ndarray, shape (n,)
            Increasing positions, and log densities up to a constant.
        """
        z = (np.arange(_CELLS) + 0.5) / _CELLS * 2 * REACH - REACH
        inside = np.clip(z, positions[0], positions[-1])
        values = PchipInterpolator(positions, heights)(inside)
        first = max((heights[1] - heights[0]) / (positions[1] - positions[0]), 0.1)
        last = min((heights[-1] - heights[-2]) / (positions[-1] - positions[-2]), -0.1)
        values += first * np.minimum(z - positions[0], 0.0)
        values += last * np.maximum(z - positions[-1], 0.0)
        values -= values.max()
        return cls(values - np.log(np.exp(values).sum() * 2 * REACH / _CELLS))

    def quantiles(self, probability: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return positions at cumulative probabilities, and the log density there, same shape."""
        ends = np.concatenate([[0.0], np.cumsum(np.exp(self.log_density))])
        ends /= ends[-1]
        position = np.interp(probability, ends, np.linspace(-REACH, REACH, _CELLS + 1))
        cell = np.clip(((position + REACH) / (2 * REACH) * _CELLS).astype(np.int64), 0, _CELLS - 1)
        return position, self.log_density[cell]


@dataclass(frozen=True, eq=False)
class HyperDensity:
    """An approximation of the marginal posterior of the hyperparameters.

    Attributes
    ----------
    centre : ndarray, shape (n,)
        Mode, on the transformed scale.
    axes : ndarray, shape (n, n)
        One unit along each axis, in columns.
    densities : tuple of AxisDensity
        Density along each axis.
    """

    centre: FloatArray
    axes: FloatArray
    densities: tuple[AxisDensity, ...]

    def points(self, probabilities: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the points at cumulative probabilities along the axes.

        Parameters
        ----------
        probabilities : ndarray, shape (n_points, n)
            Between 0 and 1.

        Returns
        -------
        points : ndarray, shape (n_points, n)
            On the transformed scale.
        log_density : ndarray, shape (n_points,)
            Log density there.
        """
        found = [d.quantiles(u) for d, u in zip(self.densities, probabilities.T, strict=True)]
        z = np.column_stack([position for position, _ in found])
        log_density = np.sum([heights for _, heights in found], axis=0)
        _, log_det = np.linalg.slogdet(self.axes)
        return self.centre + z @ self.axes.T, log_density - log_det


def principal_axes(hessian: FloatArray) -> FloatArray:
    """Return principal axes of a log density from its Hessian, one sd each, in columns.

    Parameters
    ----------
    hessian : ndarray, shape (n, n)
        Second derivatives at the mode; directions that do not curve down enough get the sd 2.

    Returns
    -------
    ndarray, shape (n, n)
        Eigenvectors times sds.
    """
    curvature, vectors = np.linalg.eigh(-(hessian + hessian.T) / 2)
    return vectors / np.sqrt(np.maximum(curvature, 0.25))
