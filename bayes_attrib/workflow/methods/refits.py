"""The No-U-Turn sampler, once for each of some draws of the totals."""

from __future__ import annotations

import numpy as np
import pymc as pm

from bayes_attrib.errors import Finding, FitError, SpecError
from bayes_attrib.inference import ChainStore, Check, PosteriorFit
from bayes_attrib.inference.given_totals import (
    GivenTotals,
    draws_of_totals,
    evenly,
    with_mean,
    with_totals,
)
from bayes_attrib.inference.refit_checks import refit_checks
from bayes_attrib.inference.refits import METHOD, RefitStores, fit_refits
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.drawn_totals import DrawnTotals
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.structure import describe_structure
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.methods.base import CheckedDraws, FitJob, Method
from bayes_attrib.workflow.methods.sampling import sampler_settings

_PILOT_FOLDER, _REFITS_FOLDER = "pilot", "refits"


class Refits(Method):
    """Rates inferred anew from each of some draws of the totals, and pooled.

    A spec asks for it by ``totals.uncertainty = "cut"`` rather than as a method.
    """

    name = METHOD
    settings = frozenset({"draws", "tune", "chains", "target_accept"})
    is_approximate = False

    def require(self, spec: ModelSpec, *, is_own: bool) -> None:
        """Serve models that a spec describes, where they are sampled."""
        if is_own:
            raise FitError(
                'totals.uncertainty = "cut" exchanges the totals of a model that a spec describes, '
                'and not those of a model of your own; set it to "paired" or "plugin"'
            )
        if spec.inference.method not in {"nuts", "auto"}:
            message = (
                "rates are inferred anew from each draw of the totals by sampling, and not by "
                f"method {spec.inference.method!r}"
            )
            remedy = 'choose method "nuts", or set totals.uncertainty to "paired"'
            raise SpecError(
                f"the spec {spec.name!r} cannot be fitted:",
                [Finding("cut-needs-sampling", "error", "totals.uncertainty", message, remedy)],
            )

    def sample(self, job: FitJob) -> PosteriorFit:
        """Draw given an even choice of the draws of the totals."""
        data, spec = job.data, job.spec
        n_refits = 0 if spec.totals is None else spec.totals.draws
        drawn = _enough(data.total_draws, n_refits)
        chosen = drawn.values[:, evenly(drawn.n_draws, n_refits)]
        values = with_mean(chosen, data.totals, np.full(n_refits, 1.0 / n_refits))
        if isinstance(job.model, pm.Model):
            raise FitError("a model of your own cannot be fitted to draws of the totals")
        geometry = job.model or choose_geometry(data, spec)
        fit = fit_refits(
            build_model(data, spec, geometry),
            values[data.is_exposed],
            sampler_settings(spec),
            structure=describe_structure(data, spec, geometry),
            stores=None if job.store is None else _stores(job.store, spec),
            progress=job.progress,
        )
        n_of_each = fit.n_draws // fit.n_chains // n_refits
        of_draw = np.tile(np.repeat(np.arange(n_refits), n_of_each), fit.n_chains)
        return with_totals(fit, data, GivenTotals(values, of_draw, "cut"))

    def checks(self, drawn: CheckedDraws) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
        """Ask whether each refit arrived, and whether they are enough together."""
        refit_of = draws_of_totals(drawn.fit)
        made = refit_checks(drawn.fit, refit_of, drawn.parameters, drawn.entities, drawn.shares)
        return made, ()


def require_effect(data: AggregateData, spec: ModelSpec) -> None:
    """Refuse refits where totals say nothing about rates, so that all would be alike.

    Parameters
    ----------
    data : AggregateData
        Lift tests split totals, so that rates depend on them whatever the family.
    spec : ModelSpec
        The model.

    Raises
    ------
    SpecError
        If the family has no law of totals, and there are no lift tests.
    """
    if spec.total_uncertainty != "cut" or spec.likelihood.informs_rates or data.lift_tests:
        return
    message = (
        f"family {spec.likelihood.family!r} learns nothing about rates from totals, so there is "
        "nothing to infer anew from each draw of them"
    )
    remedy = 'set totals.uncertainty to "paired", which gives the same at the cost of one fit'
    raise SpecError(
        f"the spec {spec.name!r} cannot be fitted:",
        [Finding("cut-without-effect", "error", "totals.uncertainty", message, remedy)],
    )


def _enough(drawn: DrawnTotals | None, wanted: int) -> DrawnTotals:
    found = 0 if drawn is None else drawn.n_draws
    if drawn is None or found < wanted:
        raise FitError(
            f"there are {found} draws of the totals, and totals.draws asks for {wanted}; give the "
            "data as many, or ask for fewer"
        )
    return drawn


def _stores(store: ChainStore, spec: ModelSpec) -> RefitStores:
    """Return the stores of the pilot and of the refits, within that of the fit's chains."""
    plan = {"spec": spec.digest}
    return RefitStores(
        ChainStore(store.folder / _PILOT_FOLDER, plan),
        ChainStore(store.folder / _REFITS_FOLDER, plan),
    )
