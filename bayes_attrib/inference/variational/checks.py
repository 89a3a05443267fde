"""Checks of variational fits: whether they arrived, and how far their law is from the posterior."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from bayes_attrib.errors import Finding
from bayes_attrib.inference.diagnostics import Bounds, Check, finite_check, make_check
from bayes_attrib.inference.pareto import HIGHEST_PARETO_K
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inference.variational.ascent import MOST_STANDARD_ERRORS

NOT_SAMPLED: Final = Bounds("<=", 0, 1)
RISE: Final = Bounds("<=", MOST_STANDARD_ERRORS, MOST_STANDARD_ERRORS)
LOSS: Final = Bounds("<=", 3.0, 3.0)
SHIFT: Final = Bounds("<=", 0.1, 0.5)
DRAWS: Final = Bounds(">=", 400, 100)
PARETO_K: Final = Bounds("<=", HIGHEST_PARETO_K, math.inf)
FAILED_PATHS: Final = Bounds("<=", 0.0, 0.75)

_NO_FIT = 99.0
"""Stands for a Pareto k where no tail can be fitted: worse than any."""


def variational_checks(fit: PosteriorFit) -> tuple[Check, ...]:
    """Check a variational fit by its own means; R-hat and effective sizes do not apply.

    Parameters
    ----------
    fit : PosteriorFit
        What :func:`fit_advi` or :func:`fit_pathfinder` returned.

    Returns
    -------
    tuple of Check
        The first, ``approximate``, always warns.
    """
    figures = _figures(fit)
    own = _advi_checks(figures, fit) if fit.method == "advi" else _pathfinder_checks(figures)
    detail = f"of the weights of {figures['n_elements']:.0f} unknowns at once: weights not used"
    if fit.method != "advi":
        detail = f"of the weights of {figures['n_elements']:.0f} unknowns at once: weights used"
    return (
        make_check("approximate", 1, NOT_SAMPLED, "approximation: not sampled"),
        finite_check(fit.posterior.data_vars),
        *own,
        make_check("pareto_k", _pareto_k(figures), PARETO_K, detail),
    )


def _advi_checks(figures: Mapping[str, float], fit: PosteriorFit) -> tuple[Check, ...]:
    steps = f"{figures['n_search_steps']:.0f} of at most {figures['most_steps']:.0f} steps"
    rise = figures["rise_in_standard_errors"]
    return (
        make_check(
            "evidence_bound_rise",
            rise,
            RISE,
            f"standard errors by which the evidence bound still rose after {steps}",
        ),
        make_check(
            "evidence_bound_loss",
            figures["loss_in_standard_errors"],
            LOSS,
            "standard errors by which the bound ended below its best",
        ),
        make_check(
            "largest_shift",
            figures["largest_shift"],
            SHIFT,
            "sds by which a Newton step would move the mean, in the worst direction",
        ),
        make_check("independent_draws", fit.n_draws, DRAWS, "draws are independent"),
    )


def _pathfinder_checks(figures: Mapping[str, float]) -> tuple[Check, ...]:
    paths, good = figures["n_paths"], figures["n_successful_paths"]
    return (
        make_check(
            "failed_paths_fraction",
            1 - good / paths,
            FAILED_PATHS,
            f"{paths - good:.0f} of {paths:.0f} paths",
        ),
        make_check(
            "distinct_draws",
            figures["distinct_draws"],
            DRAWS,
            f"of {figures['n_draws']:.0f}: resampling takes some more than once",
        ),
    )


def variational_findings(fit: PosteriorFit) -> tuple[Finding, ...]:
    """Say in words what a variational fit is worth.

    Parameters
    ----------
    fit : PosteriorFit
        What :func:`fit_advi` or :func:`fit_pathfinder` returned.

    Returns
    -------
    tuple of Finding
        A warning that uncertainty is understated, with Pareto k; for ADVI the evidence bound as a
        note, and a warning where it still rose.
    """
    figures = _figures(fit)
    findings = [_honesty(fit.method, figures)]
    if fit.method == "advi":
        findings += _bound_findings(figures)
    return tuple(findings)


def _honesty(method: str, figures: Mapping[str, float]) -> Finding:
    k = _pareto_k(figures)
    told = f"Pareto k is {k:.2f}" if k != _NO_FIT else "Pareto k cannot be computed"
    judged = (
        f"{told}, above {HIGHEST_PARETO_K}: the law is far from the posterior, and tails and "
        "intervals are not to be relied on"
        if k > HIGHEST_PARETO_K
        else f"{told}, which finds no gross mismatch but does not vouch for the intervals"
    )
    full = bool(figures.get("is_full_rank", False))
    shape = "mean-field " if method == "advi" and not full else "full-rank " if full else ""
    name = "ADVI" if method == "advi" else "Pathfinder"
    return Finding(
        "understates-uncertainty",
        "warning",
        "inference.method",
        f"{shape}{name} understates uncertainty: {judged}",
        "choose method 'nuts' for decisions, or 'laplace' for a quick and better preview",
    )


def _bound_findings(figures: Mapping[str, float]) -> list[Finding]:
    value, error = figures["evidence_bound"], figures["evidence_bound_error"]
    found = [
        Finding(
            "evidence-bound",
            "note",
            "totals",
            f"the evidence bound is {value:.2f}, with a standard error of {error:.2f}: the log "
            "density of all totals under the model is higher",
            "do not compare models by it: how far below it lies differs between them",
        )
    ]
    rise = figures["rise_in_standard_errors"]
    if not rise <= MOST_STANDARD_ERRORS:
        by = f"by {rise:.1f} standard errors " if np.isfinite(rise) else ""
        found.append(
            Finding(
                "evidence-bound-rising",
                "warning",
                "inference.advi.most_steps",
                f"the evidence bound still rose {by}when the search ended after "
                f"{figures['n_search_steps']:.0f} steps",
                "allow more steps, or choose method 'nuts'",
            )
        )
    return found


def _figures(fit: PosteriorFit) -> dict[str, float]:
    told = fit.tree["approximation"].to_dataset().data_vars
    return {str(name): float(value) for name, value in told.items() if value.ndim == 0}


def _pareto_k(figures: Mapping[str, float]) -> float:
    return figures["pareto_k"] if np.isfinite(figures["pareto_k"]) else _NO_FIT
