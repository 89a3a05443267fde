"""Variational laws: quick, asked for by many, and labelled by their measured quality."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import pymc as pm

from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.inference import Check, PosteriorFit
from bayes_attrib.inference.variational import (
    AdviSettings,
    PathfinderSettings,
    fit_advi,
    fit_pathfinder,
    variational_checks,
    variational_findings,
)
from bayes_attrib.model import build_model
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.methods.base import CheckedDraws, FitJob, Method


class _Variational(Method):
    """A normal law near the posterior of any model without discrete unknowns."""

    is_approximate: ClassVar[bool] = True

    def require(self, spec: ModelSpec, *, is_own: bool) -> None:
        """Serve all models but those that sample amounts."""
        if is_own or spec.likelihood.amounts != "explicit":
            return
        message = f"method {self.name!r} fits a law to the posterior without amounts"
        remedy = 'set likelihood.amounts to "marginal", or choose method "nuts"'
        raise SpecError(
            f"the spec {spec.name!r} cannot be fitted by method {self.name!r}:",
            [Finding("amounts-not-marginal", "error", "likelihood.amounts", message, remedy)],
        )

    def sample(self, job: FitJob) -> PosteriorFit:
        """Fit the law and draw from it."""
        is_own = isinstance(job.model, pm.Model)
        model = job.model if is_own else build_model(job.data, job.spec, job.model)
        return self._fit(model, job)

    @abstractmethod
    def _fit(self, model: pm.Model, job: FitJob) -> PosteriorFit: ...

    def checks(self, drawn: CheckedDraws) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
        """Judge the law by Pareto k and by how its search ended."""
        return variational_checks(drawn.fit), variational_findings(drawn.fit)


class Advi(_Variational):
    """Automatic differentiation variational inference."""

    name = "advi"
    settings = frozenset({"draws", "advi"})

    def _fit(self, model: pm.Model, job: FitJob) -> PosteriorFit:
        inference = job.spec.inference
        chosen = inference.advi
        settings = AdviSettings(
            draws=inference.draws,
            seed=inference.seed,
            rank=chosen.rank,
            learning_rate=chosen.learning_rate,
            most_steps=chosen.most_steps,
        )
        return fit_advi(model, settings, progress=job.progress)


class Pathfinder(_Variational):
    """Normal laws along paths of an optimiser, resampled."""

    name = "pathfinder"
    settings = frozenset({"draws"})

    def _fit(self, model: pm.Model, job: FitJob) -> PosteriorFit:
        inference = job.spec.inference
        return fit_pathfinder(model, PathfinderSettings(inference.draws, inference.seed))
