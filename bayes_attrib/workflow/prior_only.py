"""The pass that stops before the fit, at what the priors claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bayes_attrib import names
from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.inference.prior import PriorDraws, sample_prior
from bayes_attrib.inputs import TablesRead, read_tables
from bayes_attrib.model import resolve_priors
from bayes_attrib.report import PriorSummary, render_prior_html, summarise_prior
from bayes_attrib.spec import ModelSpec, PriorSpec
from bayes_attrib.workflow.manifest import provenance
from bayes_attrib.workflow.plan import PLAN_FILE, FitPlan
from bayes_attrib.workflow.write import open_run_folder, write_draws, write_json


@dataclass(frozen=True, eq=False)
class PriorRun:
    """Draws from a prior and what they say.

    Attributes
    ----------
    draws : PriorDraws
        Draws of parameters, rates and totals.
    summary : PriorSummary
        Intervals beside the data.
    priors : mapping of str to PriorSpec
        Prior of every parameter, defaults included.
    """

    draws: PriorDraws
    summary: PriorSummary
    priors: Mapping[str, PriorSpec]


def prior_to_folder(plan: FitPlan, run: Path, *, overwrite: bool = False) -> PriorRun:
    """Draw from the prior of a plan's model and write a run folder that says so.

    Parameters
    ----------
    plan : FitPlan
        Spec, tables and repairs; ``inference.draws`` and ``inference.seed`` of the spec are used.
    run : Path
        Folder to write: ``prior.csv``, ``posterior.nc`` with the groups ``prior`` and
        ``prior_predictive`` and no posterior, ``manifest.json`` with the method ``"prior"``, and
        the page ``prior.html``.
    overwrite : bool
        Whether a finished run in the folder may be replaced.

    Returns
    -------
    PriorRun
        What was written.

    Raises
    ------
    DataError
        If the tables are wrong; nothing is written then.
    FitError
        If the prior reaches values that cannot be drawn; nothing is written then.
    RunFolderError
        If the folder holds something else.
    """
    if (run / PLAN_FILE).exists():
        raise RunFolderError(
            f"{run} holds an unfinished fit; give --prior-only a folder of its own, or go on with "
            f"it: bayes-attrib fit --resume {run}"
        )
    started = datetime.now(UTC)
    tables = read_tables(plan.spec, plan.source, repairs=plan.repairs)
    draws = sample_prior(tables.data, plan.spec, draws=plan.spec.inference.draws)
    result = PriorRun(draws, summarise_prior(draws), resolve_priors(plan.spec, tables.data))
    open_run_folder(run, overwrite=overwrite)
    _write(run, result, _manifest(plan.spec, tables, result, started))
    return result


def _manifest(
    spec: ModelSpec, tables: TablesRead, result: PriorRun, started: datetime
) -> dict[str, object]:
    facts = provenance(spec, tables, result.priors, started=started, ended=datetime.now(UTC))
    return {**facts, "method": names.PRIOR_METHOD, "sampling": {"draws": result.draws.n_draws}}


def _write(run: Path, result: PriorRun, manifest: dict[str, object]) -> None:
    """Write the files, the manifest last: it says that the rest is complete."""
    table = result.summary.table.to_csv(index=False, lineterminator="\n")
    write_atomically(run / names.PRIOR_TABLE_FILE, table.encode())
    write_draws(run, result.draws.tree, manifest)
    page = render_prior_html(result.draws, result.summary, result.priors)
    write_atomically(run / names.PRIOR_PAGE_FILE, page.encode())
    write_json(run / names.MANIFEST_FILE, manifest)
