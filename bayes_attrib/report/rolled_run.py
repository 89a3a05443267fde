"""Runs that were rolled forward: the baselines beside their split."""

from __future__ import annotations

import xarray as xr

from bayes_attrib import names
from bayes_attrib.baselines import PointFit, fit_em, fit_proportional
from bayes_attrib.baselines.held_rates import split_by_held_rates
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray


def rolled_baselines(data: AggregateData, em_rate: FloatArray) -> dict[str, PointFit]:
    """Return the point estimates beside a split of new totals.

    Parameters
    ----------
    data : AggregateData
        The new aggregates.
    em_rate : ndarray, shape (n_entities,)
        Rates of EM on the data that were fitted.

    Returns
    -------
    dict of str to PointFit
        ``em``, whose rates are held like those of the posterior, and ``proportional``.
    """
    return {"em": split_by_held_rates(data, em_rate), "proportional": fit_proportional(data)}


def baselines_again(data: AggregateData, constants: xr.Dataset) -> dict[str, PointFit]:
    """Return the point estimates of a run, from the data and the constants that it keeps.

    Parameters
    ----------
    data : AggregateData
        Its data.
    constants : xarray.Dataset
        Group ``constant_data``; it has ``em_rate`` where the run was rolled forward.

    Returns
    -------
    dict of str to PointFit
        ``em`` and ``proportional``.
    """
    if names.EM_RATE in constants:
        return rolled_baselines(data, constants[names.EM_RATE].to_numpy().astype(float))
    return {"em": fit_em(data), "proportional": fit_proportional(data)}
