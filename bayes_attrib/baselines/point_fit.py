"""What a point estimate of the rates gives: numbers without intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayes_attrib.baselines.certificate import Certificate
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray

Method = Literal["proportional", "em", "em_covariates", "map"]
Stopped = Literal["closed-form", "certificate", "stationary", "early", "iterations", "stalled"]


@dataclass(frozen=True, eq=False)
class PointFit:
    """A point estimate of rates, and the split of the totals that goes with it.

    There is no interval here, and no method that would make one: a point estimate does not know
    how sure it is.

    Attributes
    ----------
    method : {"proportional", "em", "em_covariates", "map"}
        What made the estimate.
    rate : ndarray of float, shape (n_entities,)
        Rates per unit of exposure. NaN for an entity without exposure whose rate the method
        would have to learn from the data.
    amount : ndarray of float, shape (n_edges,)
        Amounts aligned with ``exposure.data``; within each aggregate they sum to its total.
    entity_amount : ndarray of float, shape (n_entities,)
        Amounts summed over aggregates.
    log_likelihood : ndarray of float, shape (n_recorded,)
        Log-likelihood of the totals under the method's family, in nats, with all constants: at the
        start, after each iteration where the method keeps it, and at the end. Poisson unless the
        method says otherwise
        (see :func:`~bayes_attrib.baselines.likelihood.poisson_log_likelihood`).
    iterations : int
        Number of updates of the rates; zero for a closed form.
    certificate : Certificate or None
        Bound on the distance of ``rate`` from the maximum likelihood; None where maximum
        likelihood with free rates is not what the method is after.
    stopped : {"closed-form", "certificate", "stationary", "early", "iterations", "stalled"}
        Why it stopped: nothing to iterate; proved to be as near the maximum as was asked; no gain
        left to second order; after the number of iterations that was asked; out of iterations; no
        step gained anything although the criterion asks for more.
    """

    _arrays: ClassVar[tuple[str, ...]] = ("rate", "amount", "entity_amount", "log_likelihood")

    method: Method
    rate: FloatArray
    amount: FloatArray
    entity_amount: FloatArray
    log_likelihood: FloatArray
    iterations: int
    certificate: Certificate | None
    stopped: Stopped

    def __post_init__(self) -> None:
        for name in self._arrays:
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def converged(self) -> bool:
        """Whether the estimate is what its method defines, not a stage on the way to it."""
        return self.stopped in ("closed-form", "certificate", "stationary")

    @property
    def entity_share(self) -> FloatArray:
        """Shares of the grand total, shape (n_entities,); NaN where the grand total is zero."""
        grand_total = float(self.entity_amount.sum())
        return self.entity_amount / (grand_total if grand_total > 0 else np.nan)


def equal_rates(data: AggregateData) -> FloatArray:
    """Give every entity the data's own rate, sum of totals over sum of exposures.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.

    Returns
    -------
    ndarray of float, shape (n_entities,)
        Rates per unit of exposure; zeros where nothing was earned.
    """
    rate = data.reference_rate if data.grand_total > 0 else 0.0
    return np.full(data.n_entities, rate)
