"""The Poisson log-likelihood of totals, with all its constants."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlogy


def poisson_log_likelihood(
    totals: npt.NDArray[np.float64], expected: npt.NDArray[np.float64]
) -> float:
    """Log-likelihood of independent Poisson totals, in nats.

    The sum over aggregates of ``y log(mu) - mu - log Gamma(y + 1)``. No constant is left out, so
    for whole totals it equals the sum of :func:`scipy.stats.poisson.logpmf`; totals that are not
    whole (money) get the same expression, where scipy would say minus infinity. An aggregate with
    total zero and expected total zero adds nothing, so aggregates without exposure need no mask.

    Parameters
    ----------
    totals : ndarray of float, shape (n_aggregates,)
        Observed totals y; not negative.
    expected : ndarray of float, shape (n_aggregates,)
        Expected totals mu, in the unit of the totals; not negative.

    Returns
    -------
    float
        Log-likelihood; minus infinity if a positive total is expected to be zero.
    """
    return float(np.sum(xlogy(totals, expected) - expected - gammaln(totals + 1.0)))
