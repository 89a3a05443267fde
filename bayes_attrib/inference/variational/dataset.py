"""Unconstrained draws as the variables that a sampled fit of the model has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from pymc.blocking import DictToArrayBijection, RaveledVars
from pytensor.compile.maker import function as compile_function

from bayes_attrib import names
from bayes_attrib.inference.variational.target import reproducible_kernels
from bayes_attrib.inputs.aggregate_data import FloatArray

OFFSET_PREFIX = "offset_"
"""Standardised offsets say nothing that the effects do not; no method keeps them."""


def kept_variables(model: pm.Model) -> list[str]:
    """Return the names of the variables that a fit keeps, in the model's order."""
    named = [variable.name for variable in (*model.free_RVs, *model.deterministics)]
    return [name for name in named if not name.startswith(OFFSET_PREFIX)]


def posterior_dataset(model: pm.Model, points: FloatArray) -> xr.Dataset:
    """Compute a model's variables at points.

    Parameters
    ----------
    model : pymc.Model
        The model that was fitted.
    points : ndarray, shape (n_draws, n_elements)
        Draws of its unconstrained parameters.

    Returns
    -------
    xarray.Dataset
        One chain of every variable but standardised offsets.
    """
    kept = kept_variables(model)
    with reproducible_kernels():
        function = compile_function(
            model.value_vars,
            model.replace_rvs_by_values([model[name] for name in kept]),
            on_unused_input="ignore",
        )
        start = model.initial_point()
        layout = DictToArrayBijection.map(start).point_map_info
        columns: list[FloatArray] = []
        for i, point in enumerate(points):
            values = DictToArrayBijection.rmap(RaveledVars(point, layout), start)
            found = function(*[values[variable.name] for variable in model.value_vars])
            if i == 0:
                columns = [np.empty((1, len(points), *np.shape(value))) for value in found]
            for column, value in zip(columns, found, strict=True):
                column[0, i] = value
    return name_variables(model, dict(zip(kept, columns, strict=True)))


def name_variables(model: pm.Model, variables: dict[str, FloatArray]) -> xr.Dataset:
    """Give variables the dimensions and coordinates that the model knows.

    Parameters
    ----------
    model : pymc.Model
        Gives dimensions.
    variables : dict of str to ndarray, shape (1, n_draws, ...)
        One chain of each.
    """
    found: dict[str, Any] = {}
    coords: dict[str, Any] = {}
    for name, values in variables.items():
        dims = [
            known or f"{name}_dim_{axis}"
            for axis, known in enumerate(
                model.named_vars_to_dims.get(name) or [None] * (values.ndim - 2)
            )
        ]
        found[name] = ((names.CHAIN, names.DRAW, *dims), values)
        for dim, size in zip(dims, values.shape[2:], strict=True):
            coords[dim] = list(model.coords.get(dim) or range(size))
    n_draws = next(iter(variables.values())).shape[1]
    return xr.Dataset(found, coords | {names.CHAIN: [0], names.DRAW: np.arange(n_draws)})


def observed_dataset(model: pm.Model) -> xr.Dataset:
    """Return what the model observed, as a sampled fit keeps it."""
    observed: dict[str, Any] = {}
    coords: dict[str, Any] = {}
    for variable in model.observed_RVs:
        values = np.asarray(model.rvs_to_values[variable].eval())
        dims = model.named_vars_to_dims.get(variable.name) or [
            f"{variable.name}_dim_{axis}" for axis in range(values.ndim)
        ]
        observed[variable.name] = (dims, values)
        coords |= {dim: list(model.coords[dim]) for dim in dims if dim in model.coords}
    return xr.Dataset(observed, coords=coords)
