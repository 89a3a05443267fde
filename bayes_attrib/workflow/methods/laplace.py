"""Nested Laplace approximations, which know the spec's model and need no PyMC."""

from __future__ import annotations

from bayes_attrib.errors import Finding, FitError
from bayes_attrib.inference import Check, PosteriorFit
from bayes_attrib.inference.laplace import (
    LaplaceSettings,
    approximation_checks,
    approximation_findings,
    fit_laplace,
    require_supported,
)
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.methods.base import CheckedDraws, FitJob, Method


class Laplace(Method):
    """Independent draws near the posterior."""

    name = "laplace"
    settings = frozenset({"draws"})
    is_approximate = True

    def require(self, spec: ModelSpec, *, is_own: bool) -> None:
        """Serve models with log-linear rates and normal effects that a spec describes."""
        if is_own:
            raise FitError(
                "method 'laplace' needs to know the model, so it takes none of your own; "
                "choose method 'nuts'"
            )
        require_supported(spec)

    def sample(self, job: FitJob) -> PosteriorFit:
        """Draw from the approximation."""
        chosen = job.spec.inference
        return fit_laplace(job.data, job.spec, LaplaceSettings(chosen.draws, chosen.seed))

    def checks(self, drawn: CheckedDraws) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
        """Judge the approximation by its own means."""
        return approximation_checks(drawn.fit), approximation_findings(drawn.fit)
