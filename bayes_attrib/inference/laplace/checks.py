"""Checks of an approximation: what can be known of its quality without sampling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from bayes_attrib.errors import Finding
from bayes_attrib.inference.diagnostics import Bounds, Check, finite_check, make_check
from bayes_attrib.inference.pareto import HIGHEST_PARETO_K
from bayes_attrib.inference.posterior_fit import PosteriorFit

NOT_SAMPLED: Final = Bounds("<=", 0, 1)
MISSED_MODES: Final = Bounds("<=", 0.0, 0.05)
RESIDUAL: Final = Bounds("<=", 2e-3, 2e-2)
DRAWS: Final = Bounds(">=", 400, 100)
POINTS_IN_USE: Final = Bounds(">=", 0.5, 0.1)
CORRECTION: Final = Bounds("<=", 0.35, math.inf)
START_LEFT: Final = Bounds("<=", 0.35, math.inf)
PARETO_K: Final = Bounds("<=", HIGHEST_PARETO_K, math.inf)


def approximation_checks(fit: PosteriorFit) -> tuple[Check, ...]:
    """Check an approximation by its own means; R-hat and effective sizes do not apply.

    Parameters
    ----------
    fit : PosteriorFit
        What :func:`fit_laplace` returned.

    Returns
    -------
    tuple of Check
        The first, ``approximate``, always warns.
    """
    figures = {
        str(name): float(value)
        for name, value in fit.tree["approximation"].to_dataset().data_vars.items()
    }
    n_modes, missed = figures["n_modes"], figures["modes_not_found"]
    checks = [
        make_check("approximate", 1, NOT_SAMPLED, "approximation: not sampled"),
        finite_check(fit.posterior.data_vars),
        make_check(
            "modes_not_found_fraction",
            missed / n_modes,
            MISSED_MODES,
            f"{missed:.0f} of {n_modes:.0f} modes of the effects",
        ),
        _size_check(figures, fit.n_draws),
    ]
    if "pareto_k" not in figures:
        detail = "of the equations that the effects are solved from"
        residual = make_check("worst_residual", figures["worst_residual"], RESIDUAL, detail)
        return (*checks, _correction_check(figures), residual)
    if figures["settled"]:
        after = f"after {figures['n_trajectories']:.0f} trajectories"
        detail = f"correlation of draws with where the approximation had put them, {after}"
        start = make_check("start_remembered", figures["start_left"], START_LEFT, detail)
        return (*checks, start, _joint_check(figures, "for the density of the totals"))
    detail = "trajectories led nowhere: draws stay where the approximation put them"
    points = f"of {figures['n_points']:.0f} points of the parameters above the effects"
    return (
        *checks,
        make_check("start_remembered", 1.0, START_LEFT, detail),
        _correction_check(figures),
        make_check("effective_points_fraction", figures["effective_points"], POINTS_IN_USE, points),
        _pareto_check(
            "pareto_k_hyperparameters", figures["pareto_k_hyperparameters"], "weights used"
        ),
        _joint_check(figures, "for draws"),
    )


def _size_check(figures: Mapping[str, float], n_draws: int) -> Check:
    """Check how many independent draws there are."""
    if not figures.get("settled"):
        return make_check("independent_draws", n_draws, DRAWS, "draws are independent")
    detail = f"{figures['n_columns']:.0f} series, of the parameter that moves most slowly"
    return make_check("independent_draws", figures["effective_size"], DRAWS, detail)


def _correction_check(figures: Mapping[str, float]) -> Check:
    return make_check(
        "mean_correction",
        figures["mean_correction"],
        CORRECTION,
        "of log rates, in posterior sds: how far from normal the effects are",
    )


def _joint_check(figures: Mapping[str, float], purpose: str) -> Check:
    used = bool(figures["field_is_reweighted"])
    return _pareto_check(
        "pareto_k_joint",
        figures["pareto_k"],
        f"{figures['n_elements']:.0f} effects at once, {figures['effective_draws']:.0%} of the "
        f"draws in effect: weights {'' if used else 'not '}used {purpose}",
    )


def _pareto_check(name: str, k: float, detail: str) -> Check:
    """Check a Pareto k; none that can be fitted is worse than any, and no failure."""
    return make_check(name, k if np.isfinite(k) else 99.0, PARETO_K, detail)


def approximation_findings(fit: PosteriorFit) -> tuple[Finding, ...]:
    """Return the log marginal likelihood as a note, where it is known."""
    figures = fit.tree["approximation"].to_dataset()
    if "log_marginal_likelihood" not in figures:
        return ()
    value = float(figures["log_marginal_likelihood"])
    return (
        Finding(
            "log-marginal-likelihood",
            "note",
            "totals",
            f"the log density of all totals under the model is {value:.2f}, by Laplace's method",
            "differences between models of the same totals compare them; priors matter",
        ),
    )
