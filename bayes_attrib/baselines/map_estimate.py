"""The mode of the posterior of everything but the hyperparameters, which are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pymc as pm
from pymc.logprob.utils import ParameterValueError
from scipy.optimize import minimize

from bayes_attrib import names
from bayes_attrib.baselines.conditional_density import ConditionalDensity, condition
from bayes_attrib.baselines.newton import Minimum, polish
from bayes_attrib.baselines.point_fit import PointFit, Stopped
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.edge_terms import EdgeTerm

FIRST_SEARCH: Final = 1e-9
"""Relative fall of the loss at which L-BFGS first hands over to Newton's method."""


@dataclass(frozen=True, eq=False)
class MapFit(PointFit):
    """A posterior mode; ``log_likelihood`` is that of the model's family, at start and mode.

    Attributes
    ----------
    hyperparameters : mapping of str to float or ndarray
        What was held fixed.
    parameters : mapping of str to ndarray
        Every other variable of the model at the mode, on its own scale.
    log_density : float
        Log density of totals and parameters given the hyperparameters, without Jacobians.
    gradient_norm : float
        Largest element of its gradient, in the model's own parameterisation.
    predicted_gain : float
        Nats by which one more Newton step would raise it, to second order.
    """

    hyperparameters: Mapping[str, Any]
    parameters: Mapping[str, FloatArray]
    log_density: float
    gradient_norm: float
    predicted_gain: float


def fit_map(
    model: pm.Model,
    data: AggregateData,
    hyperparameters: Mapping[str, Any],
    *,
    terms: Sequence[EdgeTerm] = (),
    tolerance: float = 1e-10,
    max_iterations: int = 1000,
) -> MapFit:
    r"""Find the posterior mode of a model, given its hyperparameters.

    Standard deviations and dispersions have to be given. Their joint mode with the effects that
    they scale is degenerate: written with centred effects, the density rises without bound as a
    standard deviation goes to zero and its effects with it; written non-centred, the mode is
    elsewhere. Given the scales, both forms differ by a linear map, so the mode is the same. It is
    the mode of the *log* rates, intercept and effects; a mode of the rates themselves would lie
    lower. Variables between 0 and 1 may stay free; their mode is the one on that scale.

    Minimised is minus the compiled log density by L-BFGS (scipy), then polished by Newton steps
    with exact Hessian products. It counts as converged when the gain that Newton's method predicts
    for one more step, :math:`g' H^{-1} g / 2`, is below ``tolerance`` nats, H being positive
    along the way; the optimiser's own verdict is not used. The predicted gain does not depend on
    the parameterisation.

    Parameters
    ----------
    model : pymc.Model
        From :func:`bayes_attrib.model.build_model`, or any model with ``rate`` over entities.
    data : AggregateData
        The totals and exposures of the model.
    hyperparameters : mapping of str to float or ndarray
        Values of all standard deviations and dispersions, such as ``sigma_entity`` and ``alpha``;
        further variables may be fixed too. Posterior means or medians are natural values.
    terms : sequence of EdgeTerm
        What multiplies expected amounts beside rate and exposure:
        ``edge_terms(data, spec)`` for a spec with such terms.
    tolerance : float
        Predicted gain, in nats, at which the mode counts as found.
    max_iterations : int
        Iterations of L-BFGS and Newton after which to give up.

    Returns
    -------
    MapFit
        Rates, and the split of the totals that they imply; ``stopped`` is ``"stationary"``, or
        ``"iterations"`` or ``"stalled"`` where the mode was not found.

    Raises
    ------
    ValueError
        If hyperparameters do not fit the model, a scale is not given, or the density is not
        finite where the search starts.
    """
    check_tolerance(tolerance)
    density = condition(model, hyperparameters)
    _check_start(density, hyperparameters)
    mode, iterations = _search(density, tolerance, max_iterations)
    stopped: Stopped = "iterations" if iterations >= max_iterations else "stalled"
    if mode.predicted_gain <= tolerance:
        stopped = "stationary"
    variables = density.variables(mode.point)
    rate = variables[names.RATE]
    amount = _split(data, rate, terms, variables)
    return MapFit(
        method="map",
        rate=rate,
        amount=amount,
        entity_amount=data.sum_to_entities(amount),
        log_likelihood=np.array(
            [float(density.log_likelihood(p)) for p in (density.start, mode.point)]
        ),
        iterations=iterations,
        certificate=None,
        stopped=stopped,
        hyperparameters=MappingProxyType(dict(hyperparameters)),
        parameters=MappingProxyType(variables),
        log_density=-float(density.loss(mode.point)[0]),
        gradient_norm=float(np.abs(mode.gradient).max()),
        predicted_gain=mode.predicted_gain,
    )


def check_tolerance(tolerance: float) -> None:
    """Raise ValueError where a tolerance is not positive."""
    if not tolerance > 0:
        raise ValueError(f"tolerance must be positive; got {tolerance:g}")


def _check_start(density: ConditionalDensity, hyperparameters: Mapping[str, Any]) -> None:
    try:
        loss = float(density.loss(density.start)[0])
    except ParameterValueError:  # PyMC's word for a negative standard deviation and its like
        loss = np.nan
    if not np.isfinite(loss):
        given = ", ".join(f"{name}={value}" for name, value in hyperparameters.items())
        raise ValueError(
            f"the density is not finite at the model's initial point given {given}; check that "
            "each value is one that its prior allows"
        )


def _search(
    density: ConditionalDensity, tolerance: float, max_iterations: int
) -> tuple[Minimum, int]:
    """Alternate L-BFGS and Newton's method until the latter says that no gain is left."""
    point, iterations = density.start, 0
    for reduction in FIRST_SEARCH, 0.0:
        search = minimize(
            density.loss,
            point,
            jac=True,
            method="L-BFGS-B",
            options={
                "maxiter": max_iterations - iterations,
                "maxfun": 2 * max_iterations,
                "ftol": reduction,
                "gtol": 0.0,
                "maxcor": 30,
            },
        )
        mode = polish(density.loss, density.curvature, search.x, tolerance=tolerance)
        point, iterations = mode.point, iterations + int(search.nit) + mode.steps
        if mode.predicted_gain <= tolerance or iterations >= max_iterations:
            break
    return mode, iterations


def _split(
    data: AggregateData,
    rate: FloatArray,
    terms: Sequence[EdgeTerm],
    variables: Mapping[str, FloatArray],
) -> FloatArray:
    """Split the totals in proportion to rate * exposure * exp(sum of terms), shape (n_edges,)."""
    if not terms:
        return data.split_totals(rate)
    every = slice(None)
    factor = sum(term.values(every, variables[term.variable][..., np.newaxis]) for term in terms)
    expected = data.expected_amounts(rate) * np.exp(np.asarray(factor)[:, 0])
    sums = np.bincount(data.edge_aggregate, weights=expected, minlength=data.n_aggregates)
    return expected * (data.totals[data.edge_aggregate] / sums[data.edge_aggregate])
