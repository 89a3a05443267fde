"""Standard errors of a point estimate, kept apart from the estimate itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayes_attrib.baselines.point_fit import PointFit
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray

Quantity = Literal["amount", "expected_amount", "share", "rate"]


@dataclass(frozen=True, eq=False)
class PointErrors:
    """Standard errors of the EM estimate, as far as it has any.

    The totals are held fixed, as they are in a posterior: ``expected_amount_se`` is the error of
    the split y_b p_eb that comes from estimating the rates, and ``amount_se`` adds the noise of
    the amounts given totals and rates. They stand beside the intervals of expected amounts and of
    amounts in a posterior.

    Attributes
    ----------
    fit : PointFit
        The estimate.
    dispersion : float
        Variance of a total over its expectation, in the unit of the totals; 1 for Poisson counts.
    rate_se : ndarray of float, shape (n_entities,)
        Standard errors of the rates, per unit of exposure.
    expected_amount_se : ndarray of float, shape (n_entities,)
        Standard errors of the entities' expected amounts given the totals.
    amount_se : ndarray of float, shape (n_entities,)
        Standard errors of the entities' amounts given the totals.
    """

    _arrays: ClassVar[tuple[str, ...]] = ("rate_se", "expected_amount_se", "amount_se")

    fit: PointFit
    dispersion: float
    rate_se: FloatArray
    expected_amount_se: FloatArray
    amount_se: FloatArray

    def __post_init__(self) -> None:
        for name in self._arrays:
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def share_se(self) -> FloatArray:
        """Standard errors of the shares of the grand total, shape (n_entities,)."""
        return self.amount_se / float(self.fit.entity_amount.sum())

    def interval(
        self, quantity: Quantity = "amount", n_se: float = 2.0
    ) -> tuple[FloatArray, FloatArray]:
        """Return estimate -+ n_se standard errors, as they are: lower ends may be negative.

        Parameters
        ----------
        quantity : {"amount", "expected_amount", "share", "rate"}
            What to give the interval of.
        n_se : float
            Half width in standard errors; 2 would be 95.4% if the estimate were normal.

        Returns
        -------
        lower, upper : ndarray of float, shape (n_entities,)
            Ends of the intervals; NaN where there is no standard error.
        """
        centre, error = {
            "amount": (self.fit.entity_amount, self.amount_se),
            "expected_amount": (self.fit.entity_amount, self.expected_amount_se),
            "share": (self.fit.entity_share, self.share_se),
            "rate": (self.fit.rate, self.rate_se),
        }[quantity]
        return centre - n_se * error, centre + n_se * error


def pearson_dispersion(data: AggregateData, fit: PointFit) -> float:
    """Estimate the variance of totals over their expectation from the residuals of a fit.

    The sum of (y - mu)^2 / mu over degrees of freedom: aggregates with exposure less positive
    rates (McCullagh and Nelder, *Generalized Linear Models*, 1989, section 9.2). For money it is
    in the currency; for Poisson counts it is near 1.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    fit : PointFit
        Rates.

    Returns
    -------
    float
        Dispersion.

    Raises
    ------
    ValueError
        If there are no degrees of freedom left.
    """
    rate = np.nan_to_num(fit.rate)
    mu = data.expected_totals(rate)
    seen = mu > 0
    freedom = int(seen.sum()) - int(np.count_nonzero(rate))
    if freedom < 1:
        raise ValueError(
            f"{seen.sum()} aggregate(s) with an expected total and {np.count_nonzero(rate)} "
            "positive rates leave no residuals to estimate dispersion from; give a value"
        )
    return float(np.sum((data.totals[seen] - mu[seen]) ** 2 / mu[seen]) / freedom)


def checked_dispersion(data: AggregateData, fit: PointFit, dispersion: float | None) -> float:
    """Return the dispersion to use, after checking that the estimate is one that has errors.

    Parameters
    ----------
    data : AggregateData
        Totals.
    fit : PointFit
        A converged EM fit.
    dispersion : float or None
        What the user asked for.

    Returns
    -------
    float
        Dispersion; 1 where none is given and the totals are counts.

    Raises
    ------
    ValueError
        If the fit is no maximum likelihood, nothing was earned, or totals are not counts and no
        dispersion is given.
    """
    if fit.method != "em" or not fit.converged:
        raise ValueError(
            "standard errors belong to converged EM (fit_em without stop_after); got a fit by "
            f"{fit.method!r} that stopped by {fit.stopped!r}"
        )
    if data.grand_total == 0:
        raise ValueError("all totals are zero: every rate is at zero, where errors are not defined")
    if dispersion is None:
        broken = data.totals != np.floor(data.totals)
        if broken.any():
            b = int(np.flatnonzero(broken)[0])
            raise ValueError(
                f"{broken.sum()} total(s) are not whole, first {data.totals[b]:g} of "
                f"{data.aggregate_labels[b]!r}: Poisson errors of money would depend on the "
                "currency; give dispersion, such as pearson_dispersion(data, fit)"
            )
        return 1.0
    if not (np.isfinite(dispersion) and dispersion > 0):
        raise ValueError(f"dispersion must be positive and finite; got {dispersion:g}")
    return float(dispersion)
