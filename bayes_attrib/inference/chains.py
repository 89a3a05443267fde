"""One chain of draws, and the step from chains to a labelled tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pymc as pm
import xarray as xr

from bayes_attrib import names

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Chain:
    """Draws of one chain.

    Attributes
    ----------
    draws : dict of str to ndarray
        Draws of each variable, shape (n_draws, ...).
    statistics : dict of str to ndarray
        What the sampler said of each draw, shape (n_draws,).
    """

    draws: Arrays
    statistics: Arrays


def join_chains(
    model: pm.Model,
    chains: list[Chain],
    observed: Arrays,
    observed_dims: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> xr.DataTree:
    """Join chains into a tree, and name its dimensions.

    Parameters
    ----------
    model : pymc.Model
        Gives dimensions and coordinates.
    chains : list of Chain
        In order; they are emptied on the way, so that memory holds their draws once.
    observed : dict of str to ndarray
        What was observed, by variable.
    observed_dims : mapping of str to tuple of str, optional
        Dimensions of observed variables that are no variables of the model.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior``, ``sample_stats`` and ``observed_data``. Rates that were not stored
        are the exponential of ``log_rate``.
    """
    draws = _stack([chain.draws for chain in chains])
    if names.RATE not in draws and names.LOG_RATE in draws:
        draws[names.RATE] = np.exp(draws[names.LOG_RATE])
    statistics = _stack([chain.statistics for chain in chains])
    leading, dims = (names.CHAIN, names.DRAW), {**model.named_vars_to_dims, **observed_dims}
    return xr.DataTree.from_dict(
        {
            "posterior": _labelled(model.coords, dims, draws, leading),
            "sample_stats": _labelled(model.coords, dims, statistics, leading),
            "observed_data": _labelled(model.coords, dims, observed, ()),
        }
    )


def _stack(parts: list[dict[str, npt.NDArray[Any]]]) -> dict[str, npt.NDArray[Any]]:
    """Stack arrays of the same names along a new first axis, and let go of each once it is in."""
    stacked = {}
    for name in list(parts[0]):
        first = parts[0][name]
        stacked[name] = np.empty((len(parts), *first.shape), first.dtype)
        del first
        for row, part in zip(stacked[name], parts, strict=True):
            row[...] = part.pop(name)
    return stacked


def _labelled(
    labels: Mapping[str, Any],
    dims: Mapping[str, Any],
    arrays: Arrays,
    leading: tuple[str, ...],
) -> xr.Dataset:
    """Name the dimensions of arrays as a model does, and give them its coordinates."""
    variables: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        n_own = array.ndim - len(leading)
        own = dims.get(name) or [f"{name}_dim_{i}" for i in range(n_own)]
        variables[name] = ((*leading, *own), array)
        sizes |= dict(zip((*leading, *own), array.shape, strict=True))
    coords = {
        dim: np.arange(size) if labels.get(dim) is None else list(labels[dim])
        for dim, size in sizes.items()
    }
    return xr.Dataset(variables, coords=coords)
