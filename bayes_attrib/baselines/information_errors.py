r"""Standard errors of EM from the observed information, by the delta method.

In log rates, over the entities with a positive rate, the observed information at the maximum is

.. math:: J = M' \,\mathrm{diag}(y_b / \mu_b^2)\, M / \phi , \qquad M_{be} = \lambda_e w_{eb} ,

with dispersion :math:`\phi`. Given the totals, the amounts :math:`A_e = \sum_b y_b p_{eb}` change
with the log rates by :math:`D - \phi J`, with D the diagonal matrix of the amounts, so by the delta
method

.. math:: \mathrm{Cov}(A) = (D - \phi J) J^{-1} (D - \phi J)
    = \phi D^{1/2} \, C^{-1} (I - C)^2 \, D^{1/2} , \qquad C = \phi D^{-1/2} J D^{-1/2} .

The eigenvalues of C lie between 0 and 1. They are the fractions of the information in the amounts
that is left in the totals (missing-information principle: Louis, *Journal of the Royal Statistical
Society B* 44, 1982), and one minus them the rates at which EM converges. Where one is zero the
likelihood is flat, and what moves along it has an infinite standard error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from bayes_attrib.baselines.point_errors import PointErrors, checked_dispersion
from bayes_attrib.baselines.point_fit import PointFit
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray

FLAT: Final = 1e-8
"""Fraction of information below which a direction counts as flat."""

TOUCHES: Final = 1e-10
"""Squared part of an entity in a flat direction from which on it has no finite error."""

MOST_ELEMENTS: Final = 16_000_000
"""Elements of the matrix that is decomposed, at most: 128 MB, and a minute where it is square."""


@dataclass(frozen=True, eq=False)
class InformationErrors(PointErrors):
    """Standard errors from the observed information.

    Attributes
    ----------
    at_zero : ndarray of bool, shape (n_entities,)
        Entities whose rate is zero or unknown: they have no standard error (NaN).
    is_flat : ndarray of bool, shape (n_entities,)
        Entities that the data do not tell apart from others: their error is infinite.
    """

    at_zero: npt.NDArray[np.bool_]
    is_flat: npt.NDArray[np.bool_]


def information_errors(
    data: AggregateData, fit: PointFit, *, dispersion: float | None = None
) -> InformationErrors:
    """Compute standard errors of the EM estimate from the curvature of the likelihood.

    When they mislead:

    - A rate at zero lies on the boundary, where the likelihood has a slope and not a curvature. It
      gets no error, and the errors of the others are computed as if that zero were known, so they
      are too small. Converged EM puts many rates at zero.
    - Where the rates are not determined (more positive rates than aggregates, entities that never
      vary apart), errors are infinite. That is the truth about the likelihood, not a defect; a
      prior is what makes amounts of such entities finite.
    - Near zero the interval is symmetric although the likelihood is not, and reaches below zero.
    - Noise beyond Poisson makes them too small unless ``dispersion`` accounts for it.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    fit : PointFit
        Converged EM.
    dispersion : float, optional
        Variance of a total over its expectation; 1 by default, which only suits counts.
        :func:`~bayes_attrib.baselines.pearson_dispersion` estimates it. Noise is then that of
        gamma amounts with this common scale, and the errors of amounts include it.

    Returns
    -------
    InformationErrors
        Standard errors of rates and amounts.

    Raises
    ------
    ValueError
        If the fit is not converged EM, totals are not whole and no dispersion is given, or there
        are too many positive rates, see :func:`has_information_errors`.
    """
    is_poisson = dispersion is None
    phi = checked_dispersion(data, fit, dispersion)
    active = np.nan_to_num(fit.rate) > 0
    if not has_information_errors(data, fit):
        raise ValueError(
            f"{active.sum()} positive rates and {np.count_nonzero(data.totals)} positive totals "
            f"make too large a matrix (limit {MOST_ELEMENTS} elements); use bootstrap_em"
        )
    expected = sp.csr_array(data.exposure * np.nan_to_num(fit.rate))[:, active]
    amount = fit.entity_amount[active]
    with threadpool_limits(1):  # small matrices: threads cost more than they bring
        fraction, vectors = _decomposition(_observed_root(data, expected, amount))
    told = fraction >= FLAT
    weight, left = vectors[:, told] ** 2, np.minimum(fraction[told], 1.0)
    is_flat = 1.0 - weight.sum(axis=1) > TOUCHES
    of_log_rate = np.where(is_flat, np.inf, phi * (weight @ (1 / left)) / amount)
    of_expected = np.where(is_flat, np.inf, phi * amount * (weight @ ((1 - left) ** 2 / left)))
    of_amount = of_expected + _allocation_variance(data, expected, None if is_poisson else phi)

    def over_entities(variance: FloatArray) -> FloatArray:
        """Square roots, with NaN for the entities without a positive rate."""
        errors = np.full(data.n_entities, np.nan)
        errors[active] = np.sqrt(variance)
        return errors

    flat_entities = np.zeros(data.n_entities, dtype=bool)
    flat_entities[active] = is_flat
    return InformationErrors(
        fit=fit,
        dispersion=phi,
        rate_se=fit.rate * over_entities(of_log_rate),
        expected_amount_se=over_entities(of_expected),
        amount_se=over_entities(of_amount),
        at_zero=~active,
        is_flat=flat_entities,
    )


def has_information_errors(data: AggregateData, fit: PointFit) -> bool:
    """Whether the information matrix is small enough to be decomposed.

    Parameters
    ----------
    data : AggregateData
        Totals.
    fit : PointFit
        Rates.

    Returns
    -------
    bool
        Whether the positive rates, times the fewer of positive rates and positive totals, are at
        most ``MOST_ELEMENTS``: 4,000 of either, or 20,000 rates and 800 totals.
    """
    n_active = int(np.count_nonzero(np.nan_to_num(fit.rate)))
    return n_active * min(n_active, int(np.count_nonzero(data.totals))) <= MOST_ELEMENTS


def _observed_root(data: AggregateData, expected: sp.csr_array, amount: FloatArray) -> sp.csr_array:
    """Matrix B, a row per positive total; B' B is C, the information in the totals over all."""
    positive = data.totals > 0
    expected = sp.csr_array(expected[positive])
    mu = np.asarray(expected.sum(axis=1)).reshape(-1)
    root = np.sqrt(data.totals[positive]) / mu
    return sp.csr_array(sp.diags_array(root) @ expected @ sp.diags_array(1 / np.sqrt(amount)))


def _decomposition(root: sp.csr_array) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues of B' B and eigenvectors in columns; where B is wide, only as many as its rows.

    All other eigenvalues of a wide one are zero, and its singular values cost a fraction.
    """
    n_rows, n_active = root.shape
    if n_active <= n_rows:
        fraction, vectors = np.linalg.eigh((root.T @ root).toarray())
        return fraction, vectors
    vectors, singular, _ = np.linalg.svd(root.T.toarray(), full_matrices=False)
    return singular**2, vectors


def _allocation_variance(
    data: AggregateData, expected: sp.csr_array, phi: float | None
) -> FloatArray:
    """Variance of each entity's amount given totals and rates: multinomial, or Dirichlet."""
    mu = np.asarray(expected.sum(axis=1)).reshape(-1)
    per_aggregate = data.totals if phi is None else data.totals**2 / (mu / phi + 1.0)
    inverse = np.divide(1.0, mu, out=np.zeros_like(mu), where=mu > 0)
    shares = sp.csr_array(sp.diags_array(inverse) @ expected)
    unequal = shares - shares.multiply(shares)
    return np.asarray(sp.csr_array(unequal).T @ per_aggregate)
