"""The whole pass, from raw tables to a run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bayes_attrib import names
from bayes_attrib.attribution import AttributionResult, DrawMatrix, attribute
from bayes_attrib.baselines import PointFit, fit_em, fit_proportional
from bayes_attrib.inference import (
    ChainStore,
    Diagnostics,
    PosteriorFit,
    ProgressListener,
    SamplerSettings,
    dispersion_check,
    entities_to_check,
    fit_nuts,
    sampling_checks,
)
from bayes_attrib.inference.information import information_findings
from bayes_attrib.inputs import AggregateData, TablesRead, read_tables
from bayes_attrib.model import Geometry, build_model, choose_geometry, resolve_priors
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.manifest import RunRecord
from bayes_attrib.workflow.plan import CHAINS_FOLDER, FitPlan, chain_plan
from bayes_attrib.workflow.write import open_run_folder, write_run

_ALLOCATION_STREAM, _PREDICTIVE_STREAM = 1, 2


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
    """

    posterior: PosteriorFit
    result: AttributionResult
    diagnostics: Diagnostics
    record: RunRecord


def fit_to_folder(
    plan: FitPlan, run: Path, *, overwrite: bool = False, progress: ProgressListener | None = None
) -> Fitted:
    """Fit a spec to tables and write the run folder.

    Parameters
    ----------
    plan : FitPlan
        Spec, tables and repairs.
    run : Path
        Folder to write; it may hold an unfinished run of the same plan, which is then completed.
    overwrite : bool
        Whether a finished run in the folder may be replaced.
    progress : ProgressListener, optional
        Told about the draws as they are made.

    Returns
    -------
    Fitted
        What was written.

    Raises
    ------
    DataError
        If the tables are wrong; nothing is written then.
    RunFolderError
        If the folder holds something else.
    InterruptedFitError
        On Ctrl-C, after completed chains were kept.
    """
    tables = read_tables(plan.spec, plan.source, repairs=plan.repairs)
    geometry = choose_geometry(tables.data, plan.spec)
    digests = {source.table: source.sha256 for source in tables.sources}
    open_run_folder(run, overwrite=overwrite)
    store = ChainStore(
        run / CHAINS_FOLDER, chain_plan(plan.spec, digests, plan.repairs, geometry.as_dict())
    )
    plan.save(run)
    fitted = fit_tables(tables, plan.spec, geometry=geometry, store=store, progress=progress)
    write_run(run, fitted.record, fitted.posterior, fitted.result, fitted.diagnostics)
    return fitted


def fit_tables(
    tables: TablesRead,
    spec: ModelSpec,
    *,
    geometry: Geometry | None = None,
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
    geometry : Geometry, optional
        Parameterisation; chosen from the data where it is not given.
    store : ChainStore, optional
        Where completed chains are kept.
    progress : ProgressListener, optional
        Told about the draws as they are made.

    Returns
    -------
    Fitted
        Posterior, tables, diagnostics and record.
    """
    started = datetime.now(UTC)
    data = tables.data
    geometry = geometry or choose_geometry(data, spec)
    baselines = {"em": fit_em(data), "proportional": fit_proportional(data)}
    model = build_model(data, spec, geometry)
    posterior = fit_nuts(model, sampler_settings(spec), store=store, progress=progress)
    result = _attribute(data, spec, posterior, baselines)
    diagnostics = _diagnose(tables, spec, posterior, result)
    record = RunRecord(
        spec=spec,
        tables=tables,
        geometry=geometry,
        priors=resolve_priors(spec, data),
        baselines=baselines,
        largest_residual=result.largest_residual,
        started=started,
        ended=datetime.now(UTC),
    )
    return Fitted(posterior, result, diagnostics, record)


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


def _attribute(
    data: AggregateData,
    spec: ModelSpec,
    posterior: PosteriorFit,
    baselines: Mapping[str, PointFit],
) -> AttributionResult:
    family = get_family(spec.likelihood)
    dispersion = [] if family.dispersion is None else [family.dispersion]
    return attribute(
        data,
        DrawMatrix.of(posterior.draws(names.RATE)),
        family,
        {name: posterior.draws(name) for name in dispersion},
        baselines=baselines,
        interval=spec.report.interval,
        rng=np.random.default_rng([spec.inference.seed, _ALLOCATION_STREAM]),
    )


def _diagnose(
    tables: TablesRead, spec: ModelSpec, posterior: PosteriorFit, result: AttributionResult
) -> Diagnostics:
    data = tables.data
    expected = result.expected_amounts
    mean_shares = np.concatenate([block.mean(axis=1) for _, block in expected.blocks()])
    chosen = entities_to_check(mean_shares)
    effects = [names.effect_of(group) for group in spec.rates.pooling]
    checks = sampling_checks(
        posterior, [*spec.parameters, *effects], chosen, expected.rows(chosen) / data.grand_total
    )
    rng = np.random.default_rng([spec.inference.seed, _PREDICTIVE_STREAM])
    dispersion, findings = dispersion_check(posterior, data, get_family(spec.likelihood), rng)
    information = information_findings(posterior, data, spec)
    return Diagnostics((*checks, dispersion), (*findings, *information, *tables.findings))
