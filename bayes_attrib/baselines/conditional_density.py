"""The log density of a PyMC model given some of its parameters, as functions of one vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import Interval, LogExpM1, LogTransform
from pymc.pytensorf import join_nonshared_inputs
from pytensor.compile.maker import function
from pytensor.gradient import grad

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import FloatArray

MODE: Final = "FAST_COMPILE"
"""Compiles in a second where the numba of the sampler takes ten; a mode costs few evaluations."""

POSITIVE: Final = (LogTransform, LogExpM1, Interval)
"""Transforms of variables on the positive half line, or part of it: scales and dispersions."""

SPREAD_OFFSET: Final = f"offset_{names.SIGMA_SPREAD}"
"""Unequal spreads of the entities: not on the positive half line, but a scale all the same."""


@dataclass(frozen=True, eq=False)
class ConditionalDensity:
    """Minus the log density of all other variables, given hyperparameters; no Jacobians.

    Attributes
    ----------
    start : ndarray of float, shape (n_free,)
        The model's initial point, all free variables joined.
    loss : callable
        Takes a point, returns minus the log density and its gradient, shape (n_free,).
    curvature : callable
        Takes a point and a direction, returns the Hessian of the loss times the direction.
    variables : callable
        Takes a point, returns every free and deterministic variable by name, on its own scale.
    log_likelihood : callable
        Takes a point, returns the log-likelihood of the observed variables.
    """

    start: FloatArray
    loss: Any
    curvature: Any
    variables: Any
    log_likelihood: Any


def condition(model: pm.Model, hyperparameters: Mapping[str, Any]) -> ConditionalDensity:
    """Fix hyperparameters of a model, and compile the density of what is left.

    Parameters
    ----------
    model : pymc.Model
        The model.
    hyperparameters : mapping of str to float or ndarray
        Value of each variable that is fixed, on its own scale.

    Returns
    -------
    ConditionalDensity
        Compiled functions.

    Raises
    ------
    ValueError
        If a name is unknown, a value has the wrong shape, or a scale is left free.
    """
    fixed = {name: np.asarray(value, dtype=np.float64) for name, value in hyperparameters.items()}
    _check_names(model, set(fixed))
    _check_shapes(model, fixed)
    given: pm.Model = pm.do(model, fixed)
    first = given.initial_point(random_seed=0)
    totals = [*given.observed_RVs, *given.potentials]
    outputs = [
        given.logp(jacobian=False),
        given.logp(vars=totals, jacobian=False),
        *given.replace_rvs_by_values(given.unobserved_RVs),
    ]
    (log_density, log_likelihood, *variables), point = join_nonshared_inputs(
        first, outputs, given.value_vars, {}
    )
    gradient: Any = grad(-log_density, point)
    direction = pt.vector("direction")
    product = grad(pt.sum(gradient * direction), point)
    read = function([point], variables, mode=MODE)
    labels = [variable.name for variable in given.unobserved_RVs]
    return ConditionalDensity(
        start=np.concatenate([np.ravel(first[value.name]) for value in given.value_vars]),
        loss=function([point], [-log_density, gradient], mode=MODE),
        curvature=function([point, direction], product, mode=MODE),
        variables=lambda at: dict(zip(labels, read(at), strict=True)),
        log_likelihood=function([point], log_likelihood, mode=MODE),
    )


def _check_names(model: pm.Model, fixed: set[str]) -> None:
    free = {variable.name: model.rvs_to_transforms[variable] for variable in model.free_RVs}
    unknown = sorted(fixed - set(free))
    if unknown:
        raise ValueError(
            f"the model has no free variable {', '.join(map(repr, unknown))}; it has "
            f"{', '.join(free)}"
        )
    scales = {name for name, transform in free.items() if isinstance(transform, POSITIVE)}
    missing = [name for name in free if name in scales | {SPREAD_OFFSET} and name not in fixed]
    if missing:
        raise ValueError(
            f"give a value for {', '.join(missing)}: with a free scale the joint density has no "
            "useful mode (it rises without bound, or at a place that depends on the "
            "parameterisation); posterior means or medians are natural values"
        )


def _check_shapes(model: pm.Model, fixed: Mapping[str, FloatArray]) -> None:
    shapes = model.eval_rv_shapes()
    for name, value in fixed.items():
        if value.shape != shapes[name]:
            raise ValueError(f"{name} has shape {shapes[name]}; got a value of shape {value.shape}")
