"""The whole pass, from raw tables to a run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pymc as pm

from bayes_attrib import names
from bayes_attrib.attribution import AttributionResult, allocation_rng, attribute
from bayes_attrib.baselines import PointFit, fit_em, fit_proportional
from bayes_attrib.errors import Finding, FitError
from bayes_attrib.inference import (
    ChainStore,
    Diagnostics,
    PosteriorFit,
    ProgressListener,
    expected_draws,
    noise_draws,
)
from bayes_attrib.inference.information import information_findings
from bayes_attrib.inputs import AggregateData, TablesRead, read_tables
from bayes_attrib.model import Geometry, choose_geometry, resolve_priors
from bayes_attrib.model.explicit import require_few_pairs
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.checks import computed_checks
from bayes_attrib.workflow.compare_sampling import compare_with_sampling
from bayes_attrib.workflow.em_errors import em_error_table
from bayes_attrib.workflow.lift_reference import (
    obstacle_to_lift_tests,
    own_model_finding,
    require_lift_tests,
    with_lift_reference,
)
from bayes_attrib.workflow.manifest import RunRecord
from bayes_attrib.workflow.methods import AUTO, METHODS, REFITS, FitJob, Method
from bayes_attrib.workflow.methods.auto import (
    Deadline,
    MethodChoice,
    OutOfTimeError,
    compare_preview,
    obstacle_to_preview,
    obstacle_to_sampling,
)
from bayes_attrib.workflow.methods.refits import require_effect
from bayes_attrib.workflow.own_model import OWN, OwnModel, check_own_model
from bayes_attrib.workflow.plan import CHAINS_FOLDER, FitPlan, chain_plan
from bayes_attrib.workflow.totals import sample_with_totals
from bayes_attrib.workflow.write import (
    open_run_folder,
    remove_preview,
    write_run,
    write_table,
)


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

    def chosen_by(self, choice: MethodChoice, *findings: Finding) -> Fitted:
        """Return the fit with a record of why its method was chosen."""
        diagnostics = self.diagnostics
        noted = (choice.finding, *findings, *diagnostics.findings)
        return replace(
            self,
            diagnostics=replace(diagnostics, findings=noted),
            record=replace(self.record, choice=choice),
        )


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
    require_lift_tests(tables.data, plan.spec, is_own=model is not None)
    require_effect(tables.data, plan.spec)
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
        on_preview=lambda preview: _write_preview(preview, run / names.PREVIEW_FOLDER, progress),
    )
    _write(fitted, run)
    remove_preview(run)
    return fitted


def _write(fitted: Fitted, run: Path) -> None:
    write_table(run, names.EM_ERRORS_FILE, fitted.em_errors)
    write_run(run, fitted.record, fitted.posterior, fitted.result, fitted.diagnostics)


def _write_preview(preview: Fitted, folder: Path, progress: ProgressListener | None) -> None:
    open_run_folder(folder, overwrite=True)
    _write(preview, folder)
    if progress is not None:
        seconds = (preview.record.ended - preview.record.started).total_seconds()
        page = folder / names.REPORT_FILE
        progress.told(f"preview by Laplace's method after {seconds:.1f} s: {page}; sampling now")


def fit_tables(
    tables: TablesRead,
    spec: ModelSpec,
    *,
    model: pm.Model | None = None,
    geometry: Geometry | None = None,
    check: bool = False,
    store: ChainStore | None = None,
    progress: ProgressListener | None = None,
    on_preview: Callable[[Fitted], None] | None = None,
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
    on_preview : callable, optional
        Given the preview, where method ``"auto"`` makes one and goes on to sample.

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
    require_lift_tests(data, spec, is_own=model is not None)
    require_effect(data, spec)
    work = _Work(
        tables=tables,
        spec=spec,
        model=model if model is not None else geometry or choose_geometry(data, spec),
        own=None if model is None else check_own_model(model, data, spec),
        baselines={"em": fit_em(data), "proportional": fit_proportional(data)},
        check=check,
        started=started,
    )
    if spec.inference.method == AUTO:
        return _fit_auto(work, store, progress, on_preview)
    return work.fit_by(METHODS[spec.inference.method], store, progress)


def _fit_auto(
    work: _Work,
    store: ChainStore | None,
    progress: ProgressListener | None,
    on_preview: Callable[[Fitted], None] | None,
) -> Fitted:
    """Preview by Laplace's method where it serves, then sample where time allows."""
    nuts, laplace = METHODS["nuts"], METHODS["laplace"]
    budget = work.spec.inference.time_budget
    obstacle = obstacle_to_preview(work.spec, is_own=work.own is not None)
    untold = obstacle_to_lift_tests(work.tables.data, work.spec, laplace.name)
    if obstacle is None and untold is not None:
        obstacle = untold.message
    if obstacle is not None:
        fitted = work.fit_by(nuts, store, progress)
        return fitted.chosen_by(MethodChoice("nuts", budget, f"no preview: {obstacle}"))
    begun = store is not None and bool(store.completed())
    obstacle = None if begun else obstacle_to_sampling(work.tables.data, work.spec)
    if obstacle is not None:
        fitted = work.fit_by(laplace, None, progress)
        return fitted.chosen_by(MethodChoice("laplace", budget, obstacle))
    preview = replace(work, check=False).fit_by(laplace, None, progress)
    if on_preview is not None:
        on_preview(preview)
    try:
        fitted = work.fit_by(nuts, store, Deadline(budget, progress))
    except OutOfTimeError as stop:
        return preview.chosen_by(MethodChoice("laplace", budget, str(stop)))
    reason = "sampling fitted into the time budget"
    compared = compare_preview(preview.posterior, fitted.posterior)
    return fitted.chosen_by(MethodChoice("nuts", budget, reason), compared)


@dataclass(frozen=True, eq=False)
class _Work:
    """What every method starts from, and the pass from its draws to tables and verdict."""

    tables: TablesRead
    spec: ModelSpec
    model: pm.Model | Geometry
    own: OwnModel | None
    baselines: Mapping[str, PointFit]
    check: bool
    started: datetime

    def fit_by(
        self, method: Method, store: ChainStore | None, progress: ProgressListener | None
    ) -> Fitted:
        data, spec = self.tables.data, self.spec
        posterior = sample_with_totals(method, FitJob(data, spec, self.model, store, progress))
        result = _attribute(data, spec, posterior, self.baselines)
        job = FitJob(data, spec, self.model, None, progress)
        posterior = with_lift_reference(posterior, job, method, result.expected_amounts)
        diagnostics = self._diagnose(posterior, result)
        if self.check and method.is_approximate:
            compared = compare_with_sampling(data, spec, method, progress=progress)
            diagnostics = replace(diagnostics, checks=(*diagnostics.checks, *compared))
        record = RunRecord(
            spec=spec,
            tables=self.tables,
            geometry=self.model if isinstance(self.model, Geometry) else None,
            priors=resolve_priors(spec, data) if self.own is None else {},
            baselines=self.baselines,
            largest_residual=result.largest_residual,
            started=self.started,
            ended=datetime.now(UTC),
            own_model=self.own,
            method=posterior.method,
            settings=method.settings,
        )
        errors = em_error_table(data, spec, self.baselines["em"])
        return Fitted(posterior, result, diagnostics, record, errors)

    def _diagnose(self, posterior: PosteriorFit, result: AttributionResult) -> Diagnostics:
        data, is_own = self.tables.data, self.own is not None
        checks, findings = computed_checks(data, self.spec, posterior, result, is_own=is_own)
        information = (
            own_model_finding(data) if is_own else information_findings(posterior, data, self.spec)
        )
        return Diagnostics(checks, (*findings, *information, *self.tables.findings))


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
        variance=spec.totals is not None,
    )


def _require_method(spec: ModelSpec, *, is_own: bool, check: bool) -> None:
    """Refuse what a method cannot do, before anything is written."""
    if spec.total_uncertainty == "cut":
        REFITS.require(spec, is_own=is_own)
    if spec.inference.method == AUTO:
        return
    method = METHODS[spec.inference.method]
    if check and not method.is_approximate:
        raise FitError(
            "check compares an approximation with sampling, and method "
            f"{method.name!r} samples; leave it out, or choose method 'laplace'"
        )
    method.require(spec, is_own=is_own)
