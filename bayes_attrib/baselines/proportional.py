"""The split in proportion to exposure: every entity has the same rate."""

from __future__ import annotations

import numpy as np

from bayes_attrib.baselines.likelihood import poisson_log_likelihood
from bayes_attrib.baselines.point_fit import PointFit, equal_rates
from bayes_attrib.inputs import AggregateData


def fit_proportional(data: AggregateData) -> PointFit:
    """Split every total in proportion to the exposures behind it.

    It uses no total to tell entities apart, so it cannot be misled by noise. A method that does
    not beat it has no users.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.

    Returns
    -------
    PointFit
        Equal rates, and the amounts that they imply.
    """
    rate = equal_rates(data)
    amount = data.split_totals(rate)
    log_likelihood = poisson_log_likelihood(data.totals, data.expected_totals(rate))
    return PointFit(
        method="proportional",
        rate=rate,
        amount=amount,
        entity_amount=data.sum_to_entities(amount),
        log_likelihood=np.array([log_likelihood]),
        iterations=0,
        certificate=None,
        stopped="closed-form",
    )
