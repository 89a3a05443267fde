"""What ``fit --prior-only`` does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from bayes_attrib.cli.app import print_json

if TYPE_CHECKING:
    from bayes_attrib.workflow import FitPlan


def draw_prior(
    plan: FitPlan,
    run: Path,
    *,
    sampler_options: Mapping[str, object],
    overwrite: bool,
    quiet: bool,
    json_output: bool,
) -> None:
    """Draw from the prior, write the folder and say what the priors claim."""
    from bayes_attrib.report import print_prior
    from bayes_attrib.workflow import prior_to_folder

    given = [
        f"--{name.replace('_', '-')}"
        for name, value in sampler_options.items()
        if value is not None
    ]
    if given:
        raise typer.BadParameter(
            f"--prior-only runs no Markov chain; leave out {', '.join(given)} (--draws and --seed "
            "are fine)"
        )
    result = prior_to_folder(plan, run, overwrite=overwrite)
    summary = result.summary
    if json_output:
        content = {
            "run": str(run),
            "method": "prior",
            "draws": summary.n_draws,
            "interval_prob": summary.prob,
            "predicted_totals": [summary.total_lower, summary.total_upper],
            "observed_totals": [summary.observed_lowest, summary.observed_highest],
            "observed_inside": summary.n_inside / summary.n_totals,
            "largest_share_median": summary.largest_share_median,
        }
        print_json(content)
    elif not quiet:
        print_prior(summary, plan.spec, result.priors, Console())
        print(f"\nwritten to {run}; open {run / 'prior.html'}")
