"""Entities that share aggregates, directly or through others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from bayes_attrib.inputs.aggregate_data import AggregateData, IntArray


def components(data: AggregateData) -> tuple[IntArray, IntArray]:
    """Return the component of every aggregate and of every entity, such as their channel.

    Parameters
    ----------
    data : AggregateData
        Exposures.

    Returns
    -------
    of_aggregate : ndarray of int, shape (n_aggregates,)
        An aggregate without exposure is a component of its own.
    of_entity : ndarray of int, shape (n_entities,)
        Components, on the same scale.
    """
    n = data.n_aggregates
    links = sp.block_array([[None, data.exposure], [data.exposure.T, None]]).tocsr()
    labels: npt.NDArray[np.int32] = connected_components(links, directed=False)[1]
    return labels[:n].astype(np.int64), labels[n:].astype(np.int64)
