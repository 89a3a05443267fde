"""Automatic differentiation variational inference.

A normal law over the unconstrained parameters is fitted by stochastic ascent of the evidence bound
(Kucukelbir, Tran, Ranganath, Gelman and Blei 2017, JMLR 18). The compiled log density is PyMC's;
the ascent is this package's own, because that of ``pymc.fit`` has no rule for stopping, tells
neither Pareto k nor an interruption, and needs many times as long (docs/variational.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pymc as pm
import xarray as xr

from bayes_attrib.errors import FitError, InterruptedFitError
from bayes_attrib.inference.pareto import pareto_smoothed
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inference.progress import ProgressListener, Silent
from bayes_attrib.inference.variational.ascent import BATCH, Ascent, ascend
from bayes_attrib.inference.variational.dataset import observed_dataset, posterior_dataset
from bayes_attrib.inference.variational.normal_laws import FullRank, MeanField, NormalLaw
from bayes_attrib.inference.variational.streams import Purpose, stream
from bayes_attrib.inference.variational.target import Target
from bayes_attrib.inputs.aggregate_data import FloatArray

Rank = Literal["mean_field", "full_rank"]

MOST_FULL_RANK = 1_500
"""Elements up to which a covariance matrix is fitted: it has half their square of entries."""

JUDGED_DRAWS = 1_000
"""At least so many draws are weighed, however few are kept."""

_FIRST_SD = 0.1
_SETTLING = 2_000
_FULL_RANK_SETTLING = 4_000


@dataclass(frozen=True, slots=True)
class AdviSettings:
    """What determines the draws of a variational fit.

    Attributes
    ----------
    draws : int
        Number of draws from the fitted law; they are independent of each other.
    seed : int
        Seed of everything random.
    rank : {"mean_field", "full_rank"}
        Whether the law's elements are independent or correlated.
    learning_rate : float
        Length of a step of the search, in each unconstrained parameter.
    most_steps : int
        Steps after which the search ends even if the evidence bound still rises.
    """

    draws: int = 1000
    seed: int = 1
    rank: Rank = "mean_field"
    learning_rate: float = 0.01
    most_steps: int = 20_000


def fit_advi(
    model: pm.Model, settings: AdviSettings, *, progress: ProgressListener | None = None
) -> PosteriorFit:
    """Draw from the normal law that is nearest to the posterior in the evidence bound.

    Every step looks at all totals. Looking at some of them at a time saves little, because most of
    a step at large sizes is spent on the law itself, and makes the steps noisier
    (docs/variational.md has the figures).

    Parameters
    ----------
    model : pymc.Model
        Any model with a variable ``rate`` over the dimension ``entity`` and no discrete unknowns.
    settings : AdviSettings
        Kind of law, sizes and seed.
    progress : ProgressListener, optional
        Told about the steps.

    Returns
    -------
    PosteriorFit
        One chain, with the variables of a sampled fit; the group ``approximation`` holds the
        history of the evidence bound and the figures that checks are made from.

    Raises
    ------
    FitError
        If the evidence bound is not a number, or a covariance matrix would be too large.
    InterruptedFitError
        On Ctrl-C; nothing is kept.
    """
    listener = progress or Silent()
    try:
        target = Target(model)
        _require_size(target.n_elements, settings)
        ascents = _ascents(target, settings, listener)
        drawn = _Drawn(target, ascents[-1].law, settings)
        posterior = posterior_dataset(model, drawn.points)
    except KeyboardInterrupt:
        raise InterruptedFitError(0, 1) from None
    groups = {
        "posterior": posterior,
        "sample_stats": xr.Dataset(
            {"log_weight": (("chain", "draw"), drawn.log_weights[np.newaxis, : settings.draws])},
            {"chain": [0], "draw": np.arange(settings.draws)},
        ),
        "observed_data": observed_dataset(model),
        "approximation": _figures(settings, ascents, drawn),
    }
    return PosteriorFit(xr.DataTree.from_dict(groups), method="advi")


def _require_size(n_elements: int, settings: AdviSettings) -> None:
    if settings.rank == "full_rank" and n_elements > MOST_FULL_RANK:
        raise FitError(
            f"full-rank ADVI fits a covariance matrix, and {n_elements:,} unknowns are more than "
            f"the {MOST_FULL_RANK:,} that it serves; choose rank 'mean_field', or method 'laplace'"
        )


def _ascents(
    target: Target, settings: AdviSettings, listener: ProgressListener
) -> tuple[Ascent, ...]:
    """Fit independent elements, and correlations from there if they are asked for."""
    is_full = settings.rank == "full_rank"
    done = 0

    def tell(n_steps: int) -> None:
        nonlocal done
        done += n_steps
        listener.advanced(done, 0)

    def run(law: NormalLaw, part: int, least_steps: int) -> Ascent:
        rngs = tuple(stream(settings.seed, p, part) for p in (Purpose.SEARCH, Purpose.SETTLING))
        return ascend(
            target,
            law,
            pace=settings.learning_rate,
            most_steps=settings.most_steps,
            least_steps=least_steps,
            rngs=(rngs[0], rngs[1]),
            tell=tell,
        )

    listener.started((2 if is_full else 1) * 2 * settings.most_steps)
    try:
        start = MeanField(target.start, _FIRST_SD)
        first = run(start, 0, _SETTLING)
        if not is_full:
            return (first,)
        # A covariance matrix that starts far from the posterior diverges.
        near = start.with_parameters(first.law.parameters)
        return first, run(FullRank(near), 1, _FULL_RANK_SETTLING)
    finally:
        listener.finished()


class _Drawn:
    """Draws of a law, their weights, and how far its mean is from level ground.

    Attributes
    ----------
    points : ndarray, shape (n_draws, n_elements)
        Draws that are kept.
    log_weights : ndarray, shape (n_judged,)
        log p - log q at these draws and maybe more.
    shift : float
        Largest distance, in sds of the law, by which a Newton step would move the mean in any
        direction, beyond four standard errors.
    """

    def __init__(self, target: Target, law: NormalLaw, settings: AdviSettings) -> None:
        rng = stream(settings.seed, Purpose.DRAWS)
        n_judged = max(settings.draws, JUDGED_DRAWS)
        self.points = np.empty((settings.draws, target.n_elements))
        self.log_weights = np.empty(n_judged)
        total, squares = np.zeros((2, target.n_elements))
        for i in range(n_judged):
            eps = rng.standard_normal(target.n_elements)
            point = law.draw(eps)
            log_density, slope = target(point)
            self.log_weights[i] = log_density - law.log_density(eps)
            shift = law.standardised(eps, slope)
            total += shift
            squares += shift**2
            if i < settings.draws:
                self.points[i] = point
        mean = total / n_judged
        error = np.sqrt(np.maximum(squares / n_judged - mean**2, 0.0) / n_judged)
        self.shift = float(np.max(np.maximum(np.abs(mean) - 4 * error, 0.0)))


def _figures(settings: AdviSettings, ascents: tuple[Ascent, ...], drawn: _Drawn) -> xr.Dataset:
    last = ascents[-1]
    bounds: FloatArray = np.concatenate([ascent.bounds for ascent in ascents])
    weights = drawn.log_weights
    bound, error = float(np.mean(weights)), float(np.std(weights) / np.sqrt(len(weights)))
    best, best_error = last.best
    scalars = {
        "evidence_bound": bound,
        "evidence_bound_error": error,
        "rise_in_standard_errors": last.rise,
        "loss_in_standard_errors": (best - bound) / math.hypot(error, best_error),
        "largest_shift": drawn.shift,
        "pareto_k": pareto_smoothed(weights)[1],
        "judged_draws": len(weights),
        "n_elements": drawn.points.shape[1],
        "n_steps": len(bounds) * BATCH,
        "n_search_steps": last.n_search * BATCH,
        "most_steps": settings.most_steps,
        "learning_rate": settings.learning_rate,
        "is_full_rank": settings.rank == "full_rank",
    }
    history = ("step", bounds)
    steps = BATCH * np.arange(1, len(bounds) + 1)
    return xr.Dataset(
        {name: ((), float(value)) for name, value in scalars.items()}
        | {"evidence_bound_history": history},
        {"step": steps},
    )
