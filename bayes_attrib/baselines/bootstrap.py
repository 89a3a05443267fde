"""Standard errors of EM by refitting it to totals drawn from its own fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np
import scipy.sparse as sp

from bayes_attrib.baselines.em import fit_em
from bayes_attrib.baselines.point_errors import PointErrors, checked_dispersion
from bayes_attrib.baselines.point_fit import PointFit
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.families.cells import Cells
from bayes_attrib.model.families.splits import dirichlet_shares, multinomial_amounts

SMALLEST_CONCENTRATION: Final = 1e-300
"""Stands for zero in Dirichlet draws, which need positive concentrations."""


@dataclass(frozen=True, eq=False)
class BootstrapErrors(PointErrors):
    """Standard errors from replicates of the whole estimation, and the replicates.

    Attributes
    ----------
    expected_amounts : ndarray of float, shape (n_replicates, n_entities)
        Totals as observed, split by the rates of each replicate.
    amounts : ndarray of float, shape (n_replicates, n_entities)
        The same with the noise of the amounts given totals and rates.
    unconverged : int
        Replicates whose EM ran out of iterations.
    """

    _arrays: ClassVar[tuple[str, ...]] = (
        *PointErrors._arrays,  # noqa: SLF001, a subclass's own
        "expected_amounts",
        "amounts",
    )

    expected_amounts: FloatArray
    amounts: FloatArray
    unconverged: int

    def percentile_interval(self, prob: float) -> tuple[FloatArray, FloatArray]:
        """Return the equal-tailed interval of the replicates of the amounts.

        Parameters
        ----------
        prob : float
            Probability between the ends.

        Returns
        -------
        lower, upper : ndarray of float, shape (n_entities,)
            Quantiles (1 - prob) / 2 and (1 + prob) / 2.
        """
        if not 0 < prob < 1:
            raise ValueError(f"prob must be between 0 and 1; got {prob:g}")
        lower, upper = np.quantile(self.amounts, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
        return lower, upper


def bootstrap_em(
    data: AggregateData,
    fit: PointFit,
    *,
    seed: int,
    replicates: int = 200,
    dispersion: float | None = None,
) -> BootstrapErrors:
    """Refit certified EM to totals that its own fit could have produced.

    Each replicate draws totals from Poisson(mu) (with ``dispersion``: from the gamma law of mean mu
    and variance dispersion * mu), fits them by the same :func:`fit_em` from the same start, splits
    the *observed* totals by the rates found, and draws amounts given those. Equal rates as start
    are part of the estimator: where many rates reach the maximum, the start picks one, and a warm
    start at ``fit`` would hide how little the data say. (Efron and Tibshirani, *An Introduction to
    the Bootstrap*, 1993, section 6.5.)

    When it misleads:

    - An entity at zero is resampled from a world in which its rate *is* zero. The bootstrap is
      inconsistent there (Andrews, *Econometrica* 68, 2000): an entity that is truly small but not
      zero gets an interval at or near zero, with an error that is far too small.
    - Where rates are not determined, replicates scatter by the rule that picks one of many
      maxima, not by what the data leave open: errors come out finite where the observed
      information says infinite.
    - The replicates scatter around the fit, not around the truth: bias, such as that of maximum
      likelihood towards a few large entities, is not seen.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    fit : PointFit
        Converged EM.
    seed : int
        Seed of all draws.
    replicates : int
        Number of refits; the standard error of a standard error is about 1 / sqrt(2 replicates).
    dispersion : float, optional
        Variance of a total over its expectation; 1 by default, which only suits counts.

    Returns
    -------
    BootstrapErrors
        Standard errors and replicates.

    Raises
    ------
    ValueError
        If the fit is not converged EM, totals are not whole and no dispersion is given, or
        ``replicates`` is below 2.
    """
    if replicates < 2:
        raise ValueError(f"replicates must be at least 2; got {replicates}")
    is_poisson = dispersion is None
    phi = checked_dispersion(data, fit, dispersion)
    rng = np.random.default_rng(seed)
    mu = data.expected_totals(np.nan_to_num(fit.rate))
    weights = np.empty((data.n_edges, replicates))
    rates = np.empty((replicates, data.n_entities))
    unconverged = 0
    for i in range(replicates):
        drawn = rng.poisson(mu).astype(float) if is_poisson else phi * rng.standard_gamma(mu / phi)
        refit = fit_em(replace(data, totals=drawn))
        unconverged += not refit.converged
        rates[i], weights[:, i] = refit.rate, _weights(data, refit.rate)
    exposed = data.is_exposed
    indptr = np.append(data.exposure.indptr[:-1][exposed], data.n_edges)
    cells = Cells(data.totals[exposed], indptr, weights)
    if is_poisson:
        drawn_amounts = multinomial_amounts(cells, cells.shares, rng)
    else:
        concentration = np.maximum(weights / phi, SMALLEST_CONCENTRATION)
        drawn_amounts = cells.scaled_by_totals(dirichlet_shares(indptr, concentration, rng))
    expected = _over_entities(data, cells.scaled_by_totals(cells.shares))
    amounts = _over_entities(data, drawn_amounts)
    return BootstrapErrors(
        fit=fit,
        dispersion=phi,
        rate_se=rates.std(axis=0, ddof=1),
        expected_amount_se=expected.std(axis=0, ddof=1),
        amount_se=amounts.std(axis=0, ddof=1),
        expected_amounts=expected,
        amounts=amounts,
        unconverged=unconverged,
    )


def _weights(data: AggregateData, rate: FloatArray) -> FloatArray:
    """Expected amounts of the edges, shape (n_edges,); exposures where all of a total's are zero.

    A replicate may put all rates behind a positive total at zero. EM comes there from equal rates,
    so that is how it would split the total.
    """
    weights = data.expected_amounts(np.nan_to_num(rate))
    sums = np.bincount(data.edge_aggregate, weights=weights, minlength=data.n_aggregates)
    return np.where(sums[data.edge_aggregate] > 0, weights, data.exposure.data)


def _over_entities(data: AggregateData, per_edge: FloatArray) -> FloatArray:
    """Sum values of shape (n_edges, n_replicates) to shape (n_replicates, n_entities)."""
    n_edges = data.n_edges
    shape = (data.n_entities, n_edges)
    ones = sp.csr_array((np.ones(n_edges), (data.edge_entity, np.arange(n_edges))), shape=shape)
    return np.asarray(ones @ per_edge).T
