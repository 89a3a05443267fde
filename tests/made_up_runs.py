"""Whole run folders from made-up draws: what a fit does after sampling is done and written.

They are as consistent as real ones, for the same code makes them. Synthetic folders that owe
nothing to it are in ``report/conftest.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from bayes_attrib.attribution import AttributionResult, allocation_rng, attribute
from bayes_attrib.baselines import PointFit, fit_em, fit_proportional
from bayes_attrib.errors import Finding
from bayes_attrib.inference import Check, Diagnostics, PosteriorFit, expected_draws, noise_draws
from bayes_attrib.inputs import AggregateData, RepairRecord, SourceFile, TablesRead
from bayes_attrib.model import choose_geometry
from bayes_attrib.model.families import get_family
from bayes_attrib.model.priors import resolve_priors
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.manifest import RunRecord
from bayes_attrib.workflow.write import open_run_folder, write_run

STATUS = {"ok": "ok", "warn": "warn", "not_converged": "fail"}
"""Status of the worst check, by the verdict that follows from it."""

ENDED = datetime(2026, 1, 1, tzinfo=UTC)


def checks_of(verdict: str, check_names: Sequence[str] = ("max_rhat_rates",)) -> tuple[Check, ...]:
    """Checks of these names, from which this verdict follows."""
    value = 1.0 if verdict == "ok" else 2.0
    return tuple(Check(name, value, 1.01, "<=", STATUS[verdict]) for name in check_names)


def baselines_of(data: AggregateData) -> dict[str, PointFit]:
    """Point estimates that stand beside the posterior in every run."""
    return {"em": fit_em(data), "proportional": fit_proportional(data)}


def attribute_fit(
    fit: PosteriorFit,
    data: AggregateData,
    spec: ModelSpec,
    baselines: Mapping[str, PointFit] | None = None,
) -> AttributionResult:
    """Attribute as a fit does, with the stream of its seed."""
    return attribute(
        expected_draws(fit, data, spec),
        get_family(spec.likelihood),
        noise_draws(fit, data, spec),
        baselines=baselines_of(data) if baselines is None else baselines,
        interval=spec.report.interval,
        rng=allocation_rng(spec.inference.seed),
    )


def write_made_up_run(
    folder: Path,
    data: AggregateData,
    spec: ModelSpec,
    fit: PosteriorFit,
    *,
    checks: Sequence[Check] = checks_of("ok"),
    findings: Sequence[Finding] = (),
    repairs: Sequence[RepairRecord] = (),
    sources: Sequence[SourceFile] = (),
    ended: datetime = ENDED,
) -> Path:
    """Write the run folder of a fit, but no reports, and return its path."""
    baselines = baselines_of(data)
    result = attribute_fit(fit, data, spec, baselines)
    record = RunRecord(
        spec=spec,
        tables=TablesRead(data, tuple(findings), tuple(repairs), tuple(sources)),
        geometry=choose_geometry(data, spec),
        priors=resolve_priors(spec, data),
        baselines=baselines,
        largest_residual=result.largest_residual,
        started=ended,
        ended=ended,
    )
    open_run_folder(folder, overwrite=False)
    with mock.patch("bayes_attrib.workflow.write.write_reports"):  # tests render what they look at
        write_run(folder, record, fit, result, Diagnostics(tuple(checks), tuple(findings)))
    return folder
