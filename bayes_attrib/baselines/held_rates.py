"""The split of new totals by rates that were estimated elsewhere, and are held."""

from __future__ import annotations

import numpy as np

from bayes_attrib.baselines.likelihood import poisson_log_likelihood
from bayes_attrib.baselines.point_fit import PointFit
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray


def split_by_held_rates(data: AggregateData, rate: FloatArray) -> PointFit:
    """Split totals in proportion to held rates times exposures; nothing is estimated.

    Where every entity of an aggregate has a rate of zero, as EM puts many, exposure alone decides.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    rate : ndarray, shape (n_entities,)
        Rates per unit of exposure, zero or more, such as those of EM on earlier totals.

    Returns
    -------
    PointFit
        The rates, and the amounts that they imply.
    """
    expected = data.expected_amounts(rate)
    mu = data.expected_totals(rate)
    weights = np.where(mu[data.edge_aggregate] > 0, expected, data.exposure.data)
    sums = np.bincount(data.edge_aggregate, weights=weights, minlength=data.n_aggregates)
    scale = np.divide(data.totals, sums, out=np.zeros(data.n_aggregates), where=sums > 0)
    amount = weights * scale[data.edge_aggregate]
    possible = mu > 0
    log_likelihood = poisson_log_likelihood(data.totals[possible], mu[possible])
    return PointFit(
        method="em",
        rate=rate,
        amount=amount,
        entity_amount=data.sum_to_entities(amount),
        log_likelihood=np.array([log_likelihood]),
        iterations=0,
        certificate=None,
        stopped="closed-form",
    )
