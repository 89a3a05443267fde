"""Do all samplers target the same posterior? Log densities at random points, against NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor
from pytensor.compile.mode import Mode
from scipy import stats

from bayes_attrib.model import build_model
from peers import naive, stock_sparse
from peers.problem import EFFECT, FloatArray, Problem
from peers.stan_peer import run_stan

N_POINTS = 20
MOST_SPREAD = 1e-6
"""Differences of log densities, in nats, that are one constant but for rounding."""

PLAIN = Mode(linker="py", optimizer="fast_compile")
"""Python's own evaluation: nothing is compiled for a few values."""

Points = dict[str, FloatArray]


def random_points(problem: Problem, rng: np.random.Generator) -> Points:
    """Draw points all over the prior's bulk; effects sum to zero."""
    effects = 0.5 * rng.standard_normal((N_POINTS, len(problem.levels)))
    return {
        "intercept": rng.normal(0.0, 0.5, N_POINTS),
        "sigma_specialty": rng.uniform(0.1, 1.5, N_POINTS),
        "sigma_entity": rng.uniform(0.2, 1.2, N_POINTS),
        EFFECT: effects - effects.mean(axis=1, keepdims=True),
        "offset_entity": rng.standard_normal((N_POINTS, problem.data.n_entities)),
    }


def oracle(problem: Problem, point: dict[str, Any], *, is_naive: bool) -> float:
    """Log density by hand: of non-centred effects, or of rates in the naive model."""
    sd, effect = point["sigma_specialty"], point[EFFECT]
    centre = problem.log_scale + point["intercept"] + effect[problem.group]
    log_rate = centre + point["sigma_entity"] * point["offset_entity"]
    found = stats.norm.logpdf(point["intercept"])
    found += stats.halfnorm.logpdf(sd) + stats.halfnorm.logpdf(point["sigma_entity"])
    # The zero-sum normal law has a density on a space of one dimension less.
    n_free = len(effect) - (not is_naive)
    found += -n_free * np.log(sd) - 0.5 * (effect @ effect) / sd**2
    found += stats.norm.logpdf(point["offset_entity"]).sum()
    if is_naive:  # density of rates rather than of offsets
        found -= (log_rate + np.log(point["sigma_entity"])).sum()
    mu = problem.data.exposure @ np.exp(log_rate)
    return float(found + stats.poisson.logpmf(problem.data.totals, mu).sum())


def log_densities(model: pm.Model, problem: Problem, points: Points) -> FloatArray:
    """Log densities of a PyMC model, without Jacobians of its transformations."""
    density = model.compile_logp(jacobian=False, mode=PLAIN)
    forward = {variable.name: _forward(model, variable) for variable in model.free_RVs}
    names = {variable.name: model.rvs_to_values[variable].name for variable in model.free_RVs}
    own = dict(points)
    centre = (problem.log_scale + own["intercept"])[:, np.newaxis] + own[EFFECT][:, problem.group]
    own["log_rate"] = centre + own["sigma_entity"][:, np.newaxis] * own["offset_entity"]
    own["rate"] = np.exp(own["log_rate"])
    return np.array(
        [
            density({names[k]: forward[k](own[k][i]) for k in names})
            for i in range(len(own["intercept"]))
        ]
    )


def _forward(model: pm.Model, variable: Any) -> Callable[[Any], Any]:
    """From a variable's value to the one that the model's density takes."""
    transform = model.rvs_to_transforms[variable]
    if transform is None:
        return np.asarray
    value = variable.type()
    return pytensor.function([value], transform.forward(value, *variable.owner.inputs), mode=PLAIN)


def spreads(
    problem: Problem, stan: Path | None, scratch: Path
) -> tuple[dict[str, float], float | None]:
    """Return, by method, the range over points of (log density minus the one by hand).

    Parameters
    ----------
    problem : Problem
        The data.
    stan : Path or None
        Python with PyStan.
    scratch : Path
        Folder for files that are exchanged with it.

    Returns
    -------
    ranges : dict of str to float
        In nats.
    seconds : float or None
        What building Stan's program took.

    Raises
    ------
    RuntimeError
        If one is no constant, so that two methods would be timed on different problems.
    """
    points = random_points(problem, np.random.default_rng(1))
    rows = [{name: values[i] for name, values in points.items()} for i in range(N_POINTS)]
    ours = build_model(problem.data, problem.spec)
    models = {
        "nuts": (ours, "log_rate" in {variable.name for variable in ours.free_RVs}),
        "stock": (stock_sparse.build(problem), False),
        "naive": (naive.build(problem), False),
    }
    found, by_hand = {}, {}
    for name, (model, is_centred) in models.items():
        expected = np.array([oracle(problem, row, is_naive=name == "naive") for row in rows])
        if is_centred:  # density of log rates rather than of offsets
            expected -= problem.data.n_entities * np.log(points["sigma_entity"])
        by_hand[name] = expected
        found[name] = log_densities(model, problem, points)
    seconds = None
    if stan is not None:
        given = {f"point_{name}": values for name, values in points.items()}
        result = run_stan(problem, stan, scratch, seed=1, **given)
        by_hand["stan"], found["stan"] = by_hand["stock"], result["log_density"]
        seconds = float(result["build_seconds"])
    ranges = {name: float(np.ptp(found[name] - by_hand[name])) for name in found}
    if not max(ranges.values()) < MOST_SPREAD:
        raise RuntimeError(f"methods have different posteriors; ranges in nats: {ranges}")
    return ranges, seconds
