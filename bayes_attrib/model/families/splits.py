"""The laws by which families split totals, and draw shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.families.cells import Cells, shares_of


def multinomial_amounts(cells: Cells, shares: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Split whole totals by a multinomial law.

    Independent Poisson amounts are multinomial given their sum, with the shares of their
    expectations as probabilities (Johnson, Kotz and Balakrishnan 1997, Discrete Multivariate
    Distributions, section 35.2).

    Parameters
    ----------
    cells : Cells
        Totals, whole numbers, and the edges that share them.
    shares : ndarray, shape (n_edges, n_draws)
        Probabilities, summing to one within each aggregate.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n_edges, n_draws)
        Whole amounts as floats; they sum to the totals exactly.
    """
    if cells.of_many:
        # Imported here: numba takes a while to load, and small runs do without it.
        from bayes_attrib.model.families.multinomial_kernel import (  # noqa: PLC0415
            draw_multinomial,
        )

        return draw_multinomial(cells.totals, cells.indptr, shares, rng)
    amounts = np.zeros_like(shares)
    for b in np.flatnonzero(cells.totals > 0):
        edges = slice(cells.indptr[b], cells.indptr[b + 1])
        amounts[edges] = rng.multinomial(int(cells.totals[b]), shares[edges].T).T
    return amounts


def dirichlet_shares(
    indptr: npt.NDArray[np.integer[Any]], concentration: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw Dirichlet shares within each aggregate, safely for tiny concentrations.

    A Gamma(a) variable is a Gamma(a + 1) variable times U**(1/a) (Marsaglia and Tsang 2000); on the
    log scale no concentration is too small to be drawn from.

    Parameters
    ----------
    indptr : ndarray of int, shape (n_aggregates + 1,)
        Row pointers; no aggregate is empty.
    concentration : ndarray, shape (n_edges, n_draws)
        Positive concentrations.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n_edges, n_draws)
        Shares that sum to one within each aggregate.
    """
    log_gamma = np.log(rng.standard_gamma(concentration + 1.0))
    log_gamma -= rng.standard_exponential(concentration.shape) / concentration
    largest = np.maximum.reduceat(log_gamma, indptr[:-1], axis=0)
    return shares_of(indptr, np.exp(log_gamma - np.repeat(largest, np.diff(indptr), axis=0)))
