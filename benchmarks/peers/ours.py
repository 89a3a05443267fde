"""The package itself, by the methods that a spec can name."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes_attrib.inference import PosteriorFit
from bayes_attrib.model import build_model
from bayes_attrib.workflow.methods import METHODS, FitJob
from peers.measured import Drawn, Spans, peak_memory
from peers.problem import EFFECT, HYPERPARAMETERS, Problem

_QUICK = {"draws": 400, "tune": 200, "target_accept": 0.8}
SHORT = {"L": {**_QUICK, "draws": 290, "tune": 120}, "L2": {**_QUICK, "draws": 200}}
"""Settings of sampling at sizes where the defaults of a spec would do more than is needed."""

REFERENCE = {"toy": 500, "S": 5000, "M": 2500, "L": 600}
"""Draws per chain of the long runs that approximations are held against."""

INDEPENDENT = 1000
"""Draws of methods whose draws are independent; the default."""


class SamplingClock:
    """Listens to a fit, and times its sampling."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans
        self._open: Any = None

    def started(self, total: int) -> None:  # noqa: ARG002
        """Start the clock."""
        self._open = self._spans.span("sampling")
        self._open.__enter__()

    def advanced(self, done: int, divergences: int) -> None:
        """Ignore the progress."""

    def finished(self) -> None:
        """Stop the clock."""
        self._open.__exit__(None, None, None)


def nuts(problem: Problem, seed: int, *, reference: bool = False) -> Drawn:
    """Sample as a run does, with the defaults of a spec but for lengths at large sizes."""
    wanted = {"draws": REFERENCE[problem.size]} if reference else SHORT.get(problem.size, {})
    spans = Spans()
    with spans.span("total"):
        fit = _by_spec(problem, "nuts", {"seed": seed, **wanted}, progress=SamplingClock(spans))
    tune = wanted.get("tune", problem.spec.inference.tune)
    accept = wanted.get("target_accept", problem.spec.inference.target_accept)
    facts = {
        "divergences": int(np.asarray(fit.sample_stats["diverging"]).sum()),
        "settings": f"{fit.n_chains} chains of {tune} + {fit.n_draws // fit.n_chains}, "
        f"accept {accept:g}",
    }
    return _drawn(fit, spans, facts)


def laplace(problem: Problem, seed: int) -> Drawn:
    """Approximate by nested Laplace approximations."""
    spans = Spans()
    with spans.span("total"):
        fit = _by_spec(problem, "laplace", {"seed": seed, "draws": INDEPENDENT})
    return _independent(fit, spans)


def advi(problem: Problem, seed: int) -> Drawn:
    """Approximate by mean-field ADVI."""
    from bayes_attrib.inference.variational import AdviSettings, fit_advi  # noqa: PLC0415

    spans = Spans()
    with spans.span("total"):
        model = build_model(problem.data, problem.spec)
        fit = fit_advi(model, AdviSettings(INDEPENDENT, seed))
    return _independent(fit, spans)


def pathfinder(problem: Problem, seed: int) -> Drawn:
    """Approximate by multi-path Pathfinder."""
    from bayes_attrib.inference.variational import (  # noqa: PLC0415
        PathfinderSettings,
        fit_pathfinder,
    )

    spans = Spans()
    with spans.span("total"):
        model = build_model(problem.data, problem.spec)
        fit = fit_pathfinder(model, PathfinderSettings(INDEPENDENT, seed))
    return _independent(fit, spans)


def _by_spec(
    problem: Problem, method: str, settings: dict[str, Any], progress: Any = None
) -> PosteriorFit:
    inference = problem.spec.inference.model_copy(update={"method": method, **settings})
    spec = problem.spec.model_copy(update={"inference": inference})
    return METHODS[method].sample(FitJob(problem.data, spec, progress=progress))


def _independent(fit: PosteriorFit, spans: Spans) -> Drawn:
    return _drawn(fit, spans, {"settings": f"{fit.n_draws} draws"})


def _drawn(fit: PosteriorFit, spans: Spans, facts: dict[str, Any]) -> Drawn:
    peak = peak_memory()
    posterior = fit.posterior
    hyper = {name: posterior[name].to_numpy() for name in HYPERPARAMETERS}
    mean_effect = posterior[EFFECT].to_numpy().mean(axis=-1)
    hyper["intercept_with_mean_effect"] = hyper["intercept"] + mean_effect
    return Drawn(posterior["rate"].to_numpy(), hyper, spans.seconds, peak, facts)
