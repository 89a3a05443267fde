"""Rates on the scale of totals that said nothing about them."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.inputs.components import components


def level_rates(data: AggregateData, rates: DrawMatrix, expected: FloatArray) -> DrawMatrix:
    """Scale rates, so that expected totals add up to the given totals.

    Where totals are given, only ratios of rates within an aggregate matter. Entities that share
    aggregates, directly or through others, form a component (a channel, as a rule); in every draw
    its rates are multiplied by one factor, sum of totals over sum of expected totals. Shares stay
    as they are, and a rate becomes an amount per unit of exposure.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    rates : DrawMatrix, shape (n_entities, n_draws)
        Draws of rates, of any scale.
    expected : ndarray, shape (n_exposed, n_draws)
        Expected totals at these rates.

    Returns
    -------
    DrawMatrix, shape (n_entities, n_draws)
        Scaled rates.
    """
    of_aggregate, of_entity = components(data)
    rows = of_aggregate[data.is_exposed]
    shape = (int(of_entity.max()) + 1, len(rows))
    summing = sp.csr_array((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=shape)
    observed, predicted = summing @ data.totals[data.is_exposed], summing @ expected
    factor = np.ones_like(predicted)  # of a component that earns nothing any scale will do
    earns = observed > 0
    factor[earns] = observed[earns, np.newaxis] / predicted[earns]
    scaled = DrawMatrix(*rates.shape)
    for block, values in rates.blocks():
        scaled.add(np.arange(block.start, block.stop), values * factor[of_entity[block]])
    return scaled
