"""Sampling: NUTS for every model, within Gibbs where amounts are explicit."""

from __future__ import annotations

import pymc as pm

from bayes_attrib.errors import Finding
from bayes_attrib.inference import (
    Check,
    PosteriorFit,
    SamplerSettings,
    fit_nuts,
    sampling_checks,
)
from bayes_attrib.inference.explicit import fit_explicit
from bayes_attrib.inference.starts import centre_for
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.explicit import build_explicit_model
from bayes_attrib.model.structure import describe_structure
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.methods.base import CheckedDraws, FitJob, Method


def sampler_settings(spec: ModelSpec) -> SamplerSettings:
    """Return the sampler settings that a spec asks for."""
    chosen = spec.inference
    return SamplerSettings(
        draws=chosen.draws,
        tune=chosen.tune,
        chains=chosen.chains,
        seed=chosen.seed,
        target_accept=chosen.target_accept,
    )


class Nuts(Method):
    """The No-U-Turn sampler."""

    name = "nuts"
    settings = frozenset({"draws", "tune", "chains", "target_accept"})
    is_approximate = False

    def require(self, spec: ModelSpec, *, is_own: bool) -> None:
        """Serve every model."""

    def sample(self, job: FitJob) -> PosteriorFit:
        """Draw chains of the user's own model, of explicit amounts, or of the spec's model."""
        settings, store, progress = sampler_settings(job.spec), job.store, job.progress
        if isinstance(job.model, pm.Model):
            return fit_nuts(job.model, settings, store=store, progress=progress)
        if job.spec.likelihood.amounts == "explicit":
            explicit = build_explicit_model(job.data, job.spec, job.model)
            return fit_explicit(explicit, job.data, settings, store=store, progress=progress)
        geometry = job.model or choose_geometry(job.data, job.spec)
        model = build_model(job.data, job.spec, geometry)
        structure = describe_structure(job.data, job.spec, geometry)
        return fit_nuts(
            model,
            settings,
            store=store,
            progress=progress,
            structure=structure,
            centre=centre_for(model, job.data, job.spec, geometry),
        )

    def checks(self, drawn: CheckedDraws) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
        """Ask whether chains agree and moved enough."""
        made = sampling_checks(drawn.fit, drawn.parameters, drawn.entities, drawn.shares)
        return made, ()
