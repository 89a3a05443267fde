"""The whole pass, from raw tables to a run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm

from bayes_attrib import names
from bayes_attrib.attribution import AttributionResult, allocation_rng, attribute
from bayes_attrib.baselines import PointFit, fit_em, fit_proportional
from bayes_attrib.errors import Finding, FitError
from bayes_attrib.inference import (
    ChainStore,
    Check,
    Diagnostics,
    PosteriorFit,
    ProgressListener,
    SamplerSettings,
    enough_draws,
    entities_to_check,
    expected_draws,
    fit_nuts,
    noise_draws,
    predictive_checks,
    sampling_checks,
    total_draws,
)
from bayes_attrib.inference.explicit import fit_explicit
from bayes_attrib.inference.information import information_findings
from bayes_attrib.inference.laplace import (
    LaplaceSettings,
    approximation_checks,
    approximation_findings,
    fit_laplace,
    require_supported,
)
from bayes_attrib.inputs import AggregateData, TablesRead, read_tables
from bayes_attrib.model import Geometry, build_model, choose_geometry, resolve_priors
from bayes_attrib.model.explicit import build_explicit_model, require_few_pairs
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.compare_sampling import compare_with_sampling
from bayes_attrib.workflow.em_errors import em_error_table
from bayes_attrib.workflow.manifest import RunRecord
from bayes_attrib.workflow.own_model import OWN, check_own_model, own_parameters
from bayes_attrib.workflow.plan import CHAINS_FOLDER, FitPlan, chain_plan
from bayes_attrib.workflow.write import open_run_folder, write_run, write_table

_PREDICTIVE_STREAM = 2  # the allocation has the first


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit and all that was derived from it.

    Attributes
    ----------
    posterior : PosteriorFit
        Draws of rates and parameters.
    result : AttributionResult
        Tables of shares and amounts.
    diagnostics : Diagnostics
        Checks and verdict.
    record : RunRecord
        What went in and what computed.
    em_errors : DataFrame
        EM estimate of each entity with standard errors (:func:`em_error_table`).
    """

    posterior: PosteriorFit
    result: AttributionResult
    diagnostics: Diagnostics
    record: RunRecord
    em_errors: pd.DataFrame


def fit_to_folder(
    plan: FitPlan,
    run: Path,
    *,
    model: pm.Model | None = None,
    overwrite: bool = False,
    check: bool = False,
    progress: ProgressListener | None = None,
) -> Fitted:
    """Fit a spec to tables and write the run folder.

    Parameters
    ----------
    plan : FitPlan
        Spec, tables and repairs.
    run : Path
        Folder to write; it may hold an unfinished run of the same plan, which is then completed.
    model : pymc.Model, optional
        A model of the user's own with a variable ``rate`` over the dimension ``entity``, built for
        the same data; the spec then tells columns, family of the allocation, and report.
    overwrite : bool
        Whether a finished run in the folder may be replaced.
    check : bool
        Whether an approximation is compared with sampling on a block of the data.
    progress : ProgressListener, optional
        Told about the draws as they are made.

    Returns
    -------
    Fitted
        What was written.

    Raises
    ------
    SpecError
        If the method does not serve the model; nothing is written then.
    DataError
        If the tables are wrong; nothing is written then.
    RunFolderError
        If the folder holds something else.
    FitError
        If the user's own model lacks what attribution needs, or there are too many pairs for
        explicit amounts; nothing is written then.
    InterruptedFitError
        On Ctrl-C, after completed chains were kept.
    """
    _require_method(plan.spec, is_own=model is not None, check=check)
    tables = read_tables(plan.spec, plan.source, repairs=plan.repairs)
    own = None if model is None else check_own_model(model, tables.data, plan.spec)
    if plan.spec.likelihood.amounts == "explicit":
        require_few_pairs(tables.data)
    geometry = choose_geometry(tables.data, plan.spec) if own is None else None
    form = {"model": own.digest} if own else geometry.as_dict() if geometry else {}
    digests = {source.table: source.sha256 for source in tables.sources}
    open_run_folder(run, overwrite=overwrite)
    store = ChainStore(run / CHAINS_FOLDER, chain_plan(plan.spec, digests, plan.repairs, form))
    plan.save(run, model=OWN if own else None)
    fitted = fit_tables(
        tables,
        plan.spec,
        model=model,
        geometry=geometry,
        check=check,
        store=store,
        progress=progress,
    )
    write_table(run, names.EM_ERRORS_FILE, fitted.em_errors)
    write_run(run, fitted.record, fitted.posterior, fitted.result, fitted.diagnostics)
    return fitted


def fit_tables(
    tables: TablesRead,
    spec: ModelSpec,
    *,
    model: pm.Model | None = None,
    geometry: Geometry | None = None,
    check: bool = False,
    store: ChainStore | None = None,
    progress: ProgressListener | None = None,
) -> Fitted:
    """Fit a spec to data in memory; nothing is written but completed chains, if a store is given.

    Parameters
    ----------
    tables : TablesRead
        Checked data.
    spec : ModelSpec
        The model.
    model : pymc.Model, optional
        A model of the user's own with a variable ``rate`` over the dimension ``entity``, built for
        the same data; the spec then tells columns, family of the allocation, and report.
    geometry : Geometry, optional
        Parameterisation; chosen from the data where it is not given.
    check : bool
        Whether an approximation is compared with sampling on a block of the data.
    store : ChainStore, optional
        Where completed chains are kept.
    progress : ProgressListener, optional
        Told about the draws as they are made.

    Returns
    -------
    Fitted
        Posterior, tables, diagnostics and record.

    Raises
    ------
    SpecError
        If the method does not serve the model.
    FitError
        If the user's own model lacks what attribution needs, or there are too many pairs for
        explicit amounts.
    """
    started = datetime.now(UTC)
    _require_method(spec, is_own=model is not None, check=check)
    data = tables.data
    own = None if model is None else check_own_model(model, data, spec)
    if model is None:
        geometry = geometry or choose_geometry(data, spec)
    baselines = {"em": fit_em(data), "proportional": fit_proportional(data)}
    chosen = geometry if model is None else model
    posterior = _sample(data, spec, chosen, store=store, progress=progress)
    result = _attribute(data, spec, posterior, baselines)
    diagnostics = _diagnose(tables, spec, posterior, result, is_own=own is not None)
    if check:
        compared = compare_with_sampling(data, spec, progress=progress)
        diagnostics = replace(diagnostics, checks=(*diagnostics.checks, *compared))
    record = RunRecord(
        spec=spec,
        tables=tables,
        geometry=geometry if own is None else None,
        priors=resolve_priors(spec, data) if own is None else {},
        baselines=baselines,
        largest_residual=result.largest_residual,
        started=started,
        ended=datetime.now(UTC),
        own_model=own,
        method=posterior.method,
    )
    errors = em_error_table(data, spec, baselines["em"])
    return Fitted(posterior, result, diagnostics, record, errors)


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


def _sample(
    data: AggregateData,
    spec: ModelSpec,
    model: pm.Model | Geometry | None,
    *,
    store: ChainStore | None,
    progress: ProgressListener | None,
) -> PosteriorFit:
    """Draw from the posterior of a user's own model, or of the spec's in a parameterisation."""
    settings = sampler_settings(spec)
    if spec.inference.method == "laplace":
        return fit_laplace(data, spec, LaplaceSettings(spec.inference.draws, spec.inference.seed))
    if isinstance(model, pm.Model):
        return fit_nuts(model, settings, store=store, progress=progress)
    if spec.likelihood.amounts == "explicit":
        explicit = build_explicit_model(data, spec, model)
        return fit_explicit(explicit, data, settings, store=store, progress=progress)
    marginal = build_model(data, spec, model)
    return fit_nuts(marginal, settings, store=store, progress=progress)


def _attribute(
    data: AggregateData,
    spec: ModelSpec,
    posterior: PosteriorFit,
    baselines: Mapping[str, PointFit],
) -> AttributionResult:
    return attribute(
        expected_draws(posterior, data, spec),
        get_family(spec.likelihood),
        noise_draws(posterior, data, spec),
        baselines=baselines,
        interval=spec.report.interval,
        rng=allocation_rng(spec.inference.seed),
    )


def _diagnose(
    tables: TablesRead,
    spec: ModelSpec,
    posterior: PosteriorFit,
    result: AttributionResult,
    *,
    is_own: bool,
) -> Diagnostics:
    checks, findings = computed_checks(tables.data, spec, posterior, result, is_own=is_own)
    information = () if is_own else information_findings(posterior, tables.data, spec)
    return Diagnostics(checks, (*findings, *information, *tables.findings))


def computed_checks(
    data: AggregateData,
    spec: ModelSpec,
    posterior: PosteriorFit,
    result: AttributionResult,
    *,
    is_own: bool,
) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
    """Make the checks of sampling and of prediction; the same fit gives the same values.

    Parameters
    ----------
    data : AggregateData
        The data that were fitted.
    spec : ModelSpec
        The model.
    posterior : PosteriorFit
        Draws.
    result : AttributionResult
        Gives the shares that are checked.
    is_own : bool
        Whether the model is one of the user's own.

    Returns
    -------
    checks : tuple of Check
        Every check.
    findings : tuple of Finding
        What predictive checks that warn mean, and what an approximation says of itself.
    """
    expected = result.expected_amounts
    mean_shares = np.concatenate([block.mean(axis=1) for _, block in expected.blocks()])
    chosen = entities_to_check(mean_shares)
    if posterior.method == "laplace":
        checks, notes = approximation_checks(posterior), approximation_findings(posterior)
    else:
        parameters = own_parameters(posterior) if is_own else hyperparameters(spec)
        shares = expected.rows(chosen) / data.grand_total
        checks, notes = sampling_checks(posterior, parameters, chosen, shares), ()
    rng = np.random.default_rng([spec.inference.seed, _PREDICTIVE_STREAM])
    totals = total_draws(posterior, data, spec, most=enough_draws(data.n_aggregates))
    predictive, findings = predictive_checks(totals, rng)
    return (*checks, *predictive), (*findings, *notes)


def _require_method(spec: ModelSpec, *, is_own: bool, check: bool) -> None:
    """Refuse what a method cannot do, before anything is written.

    Raises
    ------
    SpecError
        If method laplace does not serve the spec's model.
    FitError
        If it is asked for a model of the user's own, or its check for another method.
    """
    if spec.inference.method != "laplace":
        if check:
            raise FitError(
                "check compares an approximation with sampling, and method "
                f"{spec.inference.method!r} samples; leave it out, or choose method 'laplace'"
            )
        return
    if is_own:
        raise FitError(
            "method 'laplace' needs to know the model, so it takes none of your own; "
            "choose method 'nuts'"
        )
    require_supported(spec)


def hyperparameters(spec: ModelSpec) -> list[str]:
    """Return the variables above the entities: parameters, effects of groups, unequal spreads."""
    rates = spec.rates
    effects = map(names.effect_of, (*rates.groups, *rates.aggregate_effects))
    spreads = (
        [] if rates.heteroscedastic is None else [names.sigma_entity_of(rates.heteroscedastic)]
    )
    return [*spec.parameters, *effects, *spreads]
