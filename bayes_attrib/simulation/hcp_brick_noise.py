"""Noise of the scenario ``hcp_brick``: luck of bricks, luck of pairs, and an outlier."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bayes_attrib.simulation.hcp_brick_options import HcpBrickOptions
from bayes_attrib.simulation.rounding import round_significant

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def draw_factors(
    options: HcpBrickOptions, expected: FloatArray, cell: IntArray, rng: np.random.Generator
) -> FloatArray:
    """Draw what multiplies all amounts of a cell, which is a brick in a month.

    Parameters
    ----------
    options : HcpBrickOptions
        Brick effects stay the same over the months; the luck of a cell and its zeros do not.
    expected : ndarray of float, shape (n_edges,)
        Expected amounts, in units or money.
    cell : ndarray of int, shape (n_edges,)
        Cell of each edge.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of float, shape (n_aggregates * n_periods,)
        Factors, of mean 1 but for zero inflation and the outlier.
    """
    of_effect, of_luck, of_zero = rng.spawn(3)
    n, sd = options.n_aggregates, options.brick_effect_sd
    effect = np.exp(sd * of_effect.standard_normal(n) - 0.5 * sd**2)
    factor = np.repeat(effect, options.n_periods)
    if options.alpha is not None:
        factor *= of_luck.gamma(options.alpha, 1.0 / options.alpha, size=len(factor))
    if options.sigma_total is not None:
        factor *= _lognormal(options.sigma_total, len(factor), of_luck)
    factor = np.where(of_zero.random(len(factor)) < options.zero_inflation, 0.0, factor)
    usual = np.bincount(cell, weights=expected * (factor[cell] > 0), minlength=len(factor))
    factor[np.argmax(usual)] *= options.outlier
    return factor


def draw_amounts(
    options: HcpBrickOptions, expected: FloatArray, rng: np.random.Generator
) -> FloatArray | IntArray:
    """Draw amounts around their expectations, given the luck of their cells.

    Parameters
    ----------
    options : HcpBrickOptions
        Family, and the dispersion of pairs.
    expected : ndarray of float, shape (n_edges,)
        Expected amounts, in units or money.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of int or float, shape (n_edges,)
        Counts: Poisson, or a Gamma mixture of Poissons with variance mean * (1 + phi). Money, with
        nine significant digits: as expected, or Gamma with variance mean * phi, or lognormal.
    """
    if options.phi is not None:
        expected = options.phi * rng.standard_gamma(expected / options.phi)
    if options.sigma_pair is not None:
        expected = expected * _lognormal(options.sigma_pair, len(expected), rng)
    return round_significant(expected) if options.is_money else rng.poisson(expected)


def _lognormal(sigma: float, size: int, rng: np.random.Generator) -> FloatArray:
    """Draw lognormal factors of mean 1."""
    return np.exp(sigma * rng.standard_normal(size) - 0.5 * sigma**2)
