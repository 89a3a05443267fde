"""The fit without lift tests, beside the fit with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
import xarray as xr

from bayes_attrib.attribution.allocation import accumulate
from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.inference import (
    DrawMatrix,
    ExpectedDraws,
    PosteriorFit,
    expected_draws,
    noise_draws,
)
from bayes_attrib.inference.lift_moments import lift_moments
from bayes_attrib.inference.lift_reference import (
    LIFT_GROUP,
    LiftReference,
    is_reliable,
    weighted_sd,
    weights_without_tests,
)
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.families import Cells
from bayes_attrib.model.lift_terms import require_part_variance
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.methods import FitJob, Method


def with_lift_reference(
    posterior: PosteriorFit, job: FitJob, method: Method, expected_amounts: DrawMatrix
) -> PosteriorFit:
    """Keep beside a fit what it would have been without its lift tests.

    Parameters
    ----------
    posterior : PosteriorFit
        Draws of the fit with the tests.
    job : FitJob
        What they were made from.
    method : Method
        How they were made, and how a second fit is, where weights of the draws cannot tell.
    expected_amounts : DrawMatrix, shape (n_entities, n_draws)
        Expected amount of each entity in the draws.

    Returns
    -------
    PosteriorFit
        The same draws, with the group ``without_lift_tests``; unchanged where there are no tests,
        or the model is one of the user's own.
    """
    data, spec = job.data, job.spec
    if not data.lift_tests or isinstance(job.model, pm.Model):
        return posterior
    moments = lift_moments(
        expected_draws(posterior, data, spec), spec, noise_draws(posterior, data, spec)
    )
    log_weights, k = weights_without_tests(moments, data)
    # Draws of a cut knew the tests by totals of their own, so weights by common ones are not exact.
    can_weigh = spec.total_uncertainty != "cut"
    equal = np.full(moments.mean.shape[1], -np.log(moments.mean.shape[1]))
    sd_with = _share_sd(expected_amounts, data, equal)
    found = LiftReference(
        how="weights" if can_weigh and is_reliable(log_weights, k) else "none",
        pareto_k=k,
        moments=moments,
        log_weights=log_weights,
        n_chains=posterior.n_chains,
        share_sd=_share_sd(expected_amounts, data, log_weights),
        share_sd_with=sd_with,
    )
    if found.how == "none" and spec.lift_tests.refit:
        found = _refitted(job, method, k, sd_with)
    groups = {name: node.to_dataset() for name, node in posterior.tree.children.items()}
    groups[LIFT_GROUP] = found.dataset(data)
    return PosteriorFit(xr.DataTree.from_dict(groups), posterior.method)


def _refitted(job: FitJob, method: Method, k: float, sd_with: FloatArray) -> LiftReference:
    """Fit once more, without the tests."""
    data, spec = job.data, job.spec
    if job.progress is not None:
        job.progress.told("fitting once more without the lift tests, to hold them against it")
    fit = method.sample(replace(job, data=replace(data, lift_tests=()), store=None))
    expected = expected_draws(fit, data, spec)
    n = fit.n_draws
    equal = np.full(n, -np.log(n))
    return LiftReference(
        how="refit",
        pareto_k=k,
        moments=lift_moments(expected, spec, noise_draws(fit, data, spec)),
        log_weights=equal,
        n_chains=fit.n_chains,
        share_sd=_share_sd(expected_amounts_of(expected), data, equal),
        share_sd_with=sd_with,
    )


def expected_amounts_of(expected: ExpectedDraws) -> DrawMatrix:
    """Return draws of the expected amount of every entity over all aggregates."""
    data = expected.data
    found = DrawMatrix(data.n_entities, expected.n_draws)
    for block in expected.blocks():
        totals = data.totals[block.aggregates]
        cells = Cells(totals, block.indptr, expected.amounts(block.edges))
        entity = data.edge_entity[block.edges].astype(np.int64)
        accumulate(found, entity, cells.scaled_by_totals(cells.shares))
    return found


def _share_sd(amounts: DrawMatrix, data: AggregateData, log_weights: FloatArray) -> FloatArray:
    weights = np.exp(log_weights)
    parts = [weighted_sd(rows, weights) for _, rows in amounts.blocks()]
    return np.asarray(np.concatenate(parts) / data.grand_total)


def obstacle_to_lift_tests(data: AggregateData, spec: ModelSpec, method: str) -> Finding | None:
    """Return why a method cannot take lift tests in; None if it can, or there are none."""
    if not data.lift_tests:
        return None
    if method == "laplace":
        return Finding(
            "lift-tests-not-served",
            "error",
            "inference.method",
            "method 'laplace' does not know the terms of lift tests",
            'choose method "nuts", "advi" or "pathfinder"; or leave the table lift_tests out',
        )
    if spec.likelihood.amounts == "explicit":
        return Finding(
            "lift-tests-not-served",
            "error",
            "likelihood.amounts",
            "amounts that are sampled explicitly are not conditioned on lift tests",
            'set likelihood.amounts to "marginal", or leave the table lift_tests out',
        )
    return None


def require_lift_tests(data: AggregateData, spec: ModelSpec, *, is_own: bool) -> None:
    """Refuse lift tests that the spec's method or family cannot take in.

    Raises
    ------
    SpecError
        Before anything is written; a user's own model brings its own terms.
    """
    if is_own or not data.lift_tests:
        return
    require_part_variance(spec)
    found = obstacle_to_lift_tests(data, spec, spec.inference.method)
    if found is not None:
        raise SpecError(f"the spec {spec.name!r} cannot be fitted to lift tests:", [found])


def own_model_finding(data: AggregateData) -> tuple[Finding, ...]:
    """Warn that a model of the user's own has no terms of lift tests but those it brings."""
    if not data.lift_tests:
        return ()
    message = (
        f"{len(data.lift_tests)} lift tests are in the data, and your own model has only the terms "
        "that you gave it"
    )
    remedy = (
        "add them inside your model with bayes_attrib.model.add_lift_tests, or with a term of yours"
    )
    return (Finding("lift-tests-of-own-model", "warning", "lift_tests", message, remedy),)
