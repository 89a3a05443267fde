"""All draws of an approximation, side by side, with the figures that checks are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayes_attrib.errors import FitError
from bayes_attrib.inference.laplace.axes import HyperDensity
from bayes_attrib.inference.laplace.draws import (
    WeighedDraws,
    draw_exact,
    draw_iterative,
)
from bayes_attrib.inference.laplace.posterior import Posterior
from bayes_attrib.inference.laplace.settling import Settled, n_columns_for, settle, tempered
from bayes_attrib.inference.laplace.streams import Purpose, stream
from bayes_attrib.inference.laplace.weights import Weights, resample, weigh
from bayes_attrib.inference.large_rates import RateDraws
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray

SMALL_FIELD = 200
"""Fields of at most so many elements get more points, and more draws to choose from."""

_MANY_TIMES, _TIMES = 4, 2
"""So many draws are made for each that is chosen, in small fields and in others."""

LARGE_FIELD = 2000
"""Fields of more elements get fewer points: each takes longer, and parameters move less."""

_MANY_POINTS, _POINTS, _SOME_POINTS, FEW_POINTS = 128, 64, 32, 16

_NONE = np.empty((0, 0))

_LEAST_IN_USE = 0.3
"""Draws to start from are weighted by the joint density as far as leaves so many in effect."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Draws of all unknowns.

    Attributes
    ----------
    values : mapping of str to ndarray, shape (n_draws,)
        Hyperparameters.
    effects : ndarray, shape (n_coarse, n_draws)
        Effects of the field but the entities' own.
    rates : RateDraws
        Rates of the entities.
    statistics : mapping of str to ndarray, shape (n_draws,)
        What is known of every draw.
    figures : mapping of str to float
        What checks are made from.
    """

    values: dict[str, FloatArray]
    effects: FloatArray
    rates: RateDraws
    statistics: dict[str, FloatArray]
    figures: dict[str, float]


def draw_settled(posterior: Posterior, density: HyperDensity, n_draws: int, seed: int) -> Drawn:
    """Draw where determinants are exact: from the approximation, and then along trajectories.

    Where trajectories lead nowhere, the draws of the approximation are weighted and stay.

    Raises
    ------
    FitError
        If the density of the totals is not finite near the mode of the hyperparameters.
    """
    is_small = posterior.field.size <= SMALL_FIELD
    n_points = _POINTS if posterior.field.size <= LARGE_FIELD else _SOME_POINTS
    n_points = _MANY_POINTS if is_small else n_points
    n_each = max(4, -(-n_draws * (_MANY_TIMES if is_small else _TIMES) // n_points))
    points = list(draw_exact(posterior, density, n_points, n_each, seed))
    log_points = np.array([point.log_weight for point in points])
    log_joint = np.array([point.log_joint_weight for point in points])
    if not np.isfinite(log_points).all():
        raise FitError("the density of the totals is not finite near the mode of the parameters")
    weights, rng = weigh(log_points, log_joint), stream(seed, Purpose.RESAMPLING)
    n_columns = n_columns_for(posterior, n_draws)
    start = resample(tempered(log_joint.ravel(), _LEAST_IN_USE), n_columns, rng)
    settled = settle(posterior, *_chosen(points, start), n_draws, stream(seed, Purpose.TRAVEL))
    figures = _weights_figures(weights) | {
        "n_points": len(points),
        "mean_correction": float(np.nanmean([point.correction for point in points])),
        "settled": float(settled is not None),
    }
    if settled is None:
        x, places = _chosen(points, resample(weights.log_weights, n_draws, rng))
        return _unsettled(posterior, x, places, figures)
    figures |= _settled_figures(settled)
    k, field = posterior.field.n_coarse, posterior.field
    statistics = {"lp": settled.log_density}
    rates = RateDraws.of(field.log_rates(settled.effects))
    return Drawn(settled.values, settled.effects[:k], rates, statistics, figures)


def draw_many(posterior: Posterior, density: HyperDensity, n_draws: int, seed: int) -> Drawn:
    """Draw from the approximation where determinants are out of reach."""
    rates, points = RateDraws(posterior.field.design.shape[0], n_draws), []
    for point in draw_iterative(posterior, density, FEW_POINTS, n_draws, seed):
        rates.add(point.log_rates)
        points.append(replace(point, log_rates=_NONE))
    sizes = [point.effects.shape[1] for point in points]
    values = {
        name: np.repeat([point.values[name] for point in points], sizes)
        for name in posterior.hyper.names
    }
    figures = {
        "n_points": len(points),
        "mean_correction": float(np.nanmean([point.correction for point in points])),
    }
    return Drawn(
        values,
        np.hstack([point.effects for point in points]),
        rates,
        {"point": np.repeat(np.arange(len(points), dtype=np.float64), sizes)},
        figures,
    )


def _chosen(points: Sequence[WeighedDraws], chosen: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return standard normals and transformed hyperparameters of some draws, a column each."""
    n_each = points[0].x.shape[1]
    x = np.column_stack([points[i // n_each].x[:, i % n_each] for i in chosen])
    return x, np.column_stack([points[i // n_each].point for i in chosen])


def _unsettled(
    posterior: Posterior, x: FloatArray, places: FloatArray, figures: dict[str, float]
) -> Drawn:
    field, hyper = posterior.field, posterior.hyper
    values = [hyper.values(place) for place in places.T]
    effects = np.hstack(
        [field.effects(x[:, i : i + 1], field.scale(of_draw)) for i, of_draw in enumerate(values)]
    )
    return Drawn(
        {name: np.array([of_draw[name] for of_draw in values]) for name in hyper.names},
        effects[: field.n_coarse],
        RateDraws.of(field.log_rates(effects)),
        {"lp": np.full(len(values), np.nan)},
        figures,
    )


def _weights_figures(weights: Weights) -> dict[str, float]:
    return {
        "pareto_k": weights.pareto_k,
        "pareto_k_hyperparameters": weights.pareto_k_hyper,
        "effective_draws": weights.effective_draws,
        "effective_points": weights.effective_points,
        "log_marginal_likelihood": weights.log_marginal_likelihood,
        "field_is_reweighted": float(weights.corrects_field),
    }


def _settled_figures(settled: Settled) -> dict[str, float]:
    return {
        "start_left": settled.start_left,
        "accepted": settled.accepted,
        "effective_size": settled.effective,
        "n_columns": settled.n_columns,
        "n_trajectories": settled.n_trajectories,
    }
