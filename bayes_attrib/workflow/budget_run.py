"""From a finished run and a plan to a recommended split of its money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from bayes_attrib.attribution import interval_of
from bayes_attrib.attribution.budget import (
    Objective,
    PlanCurves,
    Recommendation,
    limits_of,
    read_plan,
    recommend,
)
from bayes_attrib.errors import NotConvergedError, RunFolderError
from bayes_attrib.report import RunFolder
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.write import write_json, write_table

BUDGET_TABLE: Final = "budget.csv"
BUDGET_RECORD: Final = "budget.json"


@dataclass(frozen=True)
class BudgetOptions:
    """What a split is asked for.

    Attributes
    ----------
    objective : Objective
        What is made largest.
    cost : str
        Column of the plan that holds the cost of a row.
    curves : Path or None
        ``import.json`` of an imported mix model; None where the run's spec has the curves.
    across_channels : bool
        Whether money may move between channels.
    total : float or None
        Money to spend; that of the plan unless given.
    max_change : float or None
        Largest relative change of an entity's spend.
    minimum, maximum : mapping of str to float
        Bounds in money by entity.
    seed : int
        Seed of everything random.
    allow_unconverged : bool
        Whether a run that did not converge is used all the same.
    """

    objective: Objective
    cost: str = "spend"
    curves: Path | None = None
    across_channels: bool = False
    total: float | None = None
    max_change: float | None = None
    minimum: Mapping[str, float] = field(default_factory=dict)
    maximum: Mapping[str, float] = field(default_factory=dict)
    seed: int = 1
    allow_unconverged: bool = False


def budget_of_run(run: Path | str, plan: Path | str, options: BudgetOptions) -> Recommendation:
    """Recommend how to split the money of a plan, by the rates of a finished run.

    Parameters
    ----------
    run : Path or str
        Run folder of a finished fit.
    plan : Path or str
        Table of delivery and cost by entity, channel, period and geo.
    options : BudgetOptions
        Objective and limits.

    Returns
    -------
    Recommendation
        The split, and how sure its gain is.

    Raises
    ------
    SpecError
        If the run does not tell how delivery becomes exposure.
    DataError
        If the plan or the limits cannot be used.
    RunFolderError
        If the model of the run multiplies rates by what a plan does not tell.
    NotConvergedError
        If the run did not converge.
    """
    folder = RunFolder.load(Path(run))
    if folder.diagnostics.verdict == "not_converged" and not options.allow_unconverged:
        raise NotConvergedError(
            f"{folder.path}: the fit did not converge, so its rates are no ground for a budget; "
            "fit again with more draws, or add --allow-unconverged"
        )
    _require_rates_alone(folder.spec, folder.path)
    curves = (
        PlanCurves.of_spec(folder.spec)
        if options.curves is None
        else PlanCurves.of_import(options.curves)
    )
    draws = RunDraws.load(folder)
    known, rates = draws.rates()
    read = read_plan(Path(plan), curves, known, cost=options.cost)
    limits = limits_of(
        read,
        across_channels=options.across_channels,
        total=options.total,
        max_change=options.max_change,
        minimum=options.minimum,
        maximum=options.maximum,
    )
    data = draws.data
    peaks = np.asarray(data.exposure.max(axis=0).todense()).ravel()
    return recommend(
        read,
        rates[pd.Index(known).get_indexer(pd.Index(read.entities))],
        limits,
        options.objective,
        largest=pd.Series(peaks, index=list(known)),
        interval=folder.spec.report.interval,
        seed=options.seed,
    )


def write_budget(found: Recommendation, out: Path, *, source: Mapping[str, Any]) -> tuple[str, ...]:
    """Write a recommendation as ``budget.csv`` and ``budget.json``.

    Parameters
    ----------
    found : Recommendation
        The split.
    out : Path
        Folder; made where it is missing. Nothing else in it is touched.
    source : mapping
        What it was made from, as plain JSON types.

    Returns
    -------
    tuple of str
        Names of the files.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_table(out, BUDGET_TABLE, found.table)
    write_json(out / BUDGET_RECORD, {**budget_facts(found), "source": dict(source)})
    return BUDGET_TABLE, BUDGET_RECORD


def budget_facts(found: Recommendation) -> dict[str, Any]:
    """Return the figures of a recommendation as plain JSON types."""
    facts: dict[str, Any] = {
        "objective": {"name": found.objective.name, **vars(found.objective)},
        "probability_of_gain": found.probability,
        "n_draws": len(found.gain),
        "interval": found.interval.model_dump(),
    }
    for name in ("planned", "recommended", "gain"):
        values = getattr(found, name)
        lower, upper = interval_of(values[np.newaxis], found.interval)
        facts[name] = {
            "mean": float(values.mean()),
            "lower": float(lower[0]),
            "upper": float(upper[0]),
        }
    facts["findings"] = [
        {"code": f.code, "severity": f.severity, "message": f.message, "remedy": f.remedy}
        for f in found.findings
    ]
    return facts


def _require_rates_alone(spec: ModelSpec, path: Path) -> None:
    """Refuse models in which a plan's contribution is not rate times exposure."""
    rates = spec.rates
    reasons = {
        "rates that change over time": rates.drift is not None,
        "effects of aggregates": bool(rates.aggregate_effects),
        "covariates of pairs": rates.pair_covariates is not None,
    }
    found = [reason for reason, applies in reasons.items() if applies]
    if found:
        raise RunFolderError(
            f"{path} was fitted with {' and '.join(found)}, and a plan does not tell what these "
            "will be; fit without them to split a budget"
        )
