"""The command ``budget``: how a plan's money is best split below its channels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bayes_attrib.cli.app import app, print_json
from bayes_attrib.cli.options import JsonOption, QuietOption

if TYPE_CHECKING:
    from bayes_attrib.attribution.budget import Objective, Recommendation

_MOST_ROWS = 30


@app.command()
def budget(
    run: Annotated[Path, typer.Argument(help="Run folder of a finished fit.")],
    plan: Annotated[
        Path, typer.Argument(help="Delivery and cost by entity, channel, period and geo.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    objective: Annotated[
        str, typer.Option(help="What is made best: expected, lower_quantile or regret.")
    ] = "expected",
    prob: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Probability of worse, for the last two.")
    ] = 0.1,
    cost: Annotated[str, typer.Option(help="Column of the plan with the cost of a row.")] = "spend",
    curves: Annotated[
        Path | None, typer.Option(help="import.json of an imported mix model.")
    ] = None,
    across_channels: Annotated[bool, typer.Option(help="Let money move between channels.")] = False,
    total: Annotated[
        float | None, typer.Option(min=0.0, help="Money to spend; that of the plan by default.")
    ] = None,
    max_change: Annotated[
        float | None,
        typer.Option(min=0.0, help="Largest change of an entity's spend, such as 0.3."),
    ] = None,
    minimum: Annotated[
        list[str] | None, typer.Option(help="Least spend of an entity: NAME=MONEY; repeatable.")
    ] = None,
    maximum: Annotated[
        list[str] | None, typer.Option(help="Most spend of an entity: NAME=MONEY; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    allow_unconverged: Annotated[
        bool, typer.Option(help="Use a run that did not converge.")
    ] = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Recommend how to split a plan's money below its channels, with the odds of a gain."""
    from bayes_attrib.workflow.budget_run import (
        BudgetOptions,
        budget_facts,
        budget_of_run,
        write_budget,
    )

    options = BudgetOptions(
        objective=_objective(objective, prob),
        cost=cost,
        curves=curves,
        across_channels=across_channels,
        total=total,
        max_change=max_change,
        minimum=_bounds(minimum, "--minimum"),
        maximum=_bounds(maximum, "--maximum"),
        seed=seed,
        allow_unconverged=allow_unconverged,
    )
    found = budget_of_run(run, plan, options)
    files = write_budget(found, out, source={"run": run.name, "plan": plan.name, "seed": seed})
    if json_output:
        print_json({"out": str(out), "files": list(files), **budget_facts(found)})
    elif not quiet:
        _print(found)
        print(f"\nwritten to {out}: {', '.join(files)}")


def _objective(name: str, prob: float) -> Objective:
    from bayes_attrib.attribution.budget import OBJECTIVES
    from bayes_attrib.errors import UnknownNameError

    if name not in OBJECTIVES:
        raise UnknownNameError(
            f"there is no objective {name!r}; there is {', '.join(map(repr, OBJECTIVES))}"
        )
    return OBJECTIVES[name](prob)


def _bounds(words: list[str] | None, option: str) -> dict[str, float]:
    from bayes_attrib.errors import UnknownNameError

    bounds = {}
    for word in words or ():
        name, _, money = word.rpartition("=")
        try:
            bounds[name] = float(money)
        except ValueError:
            name = ""
        if not name:
            raise UnknownNameError(f"{option} {word!r} is no NAME=MONEY, such as 'Brand=12000'")
    return bounds


def _print(found: Recommendation) -> None:
    """Print the split, largest changes first, and the odds of a gain."""
    from bayes_attrib.report.numbers import significant
    from bayes_attrib.workflow.budget_run import budget_facts

    console, facts = Console(), budget_facts(found)
    table = Table(box=None, pad_edge=False)
    for column in ("entity", "channel"):
        table.add_column(column, overflow="fold")
    for column in ("planned", "recommended", "change", "return of the next 1"):
        table.add_column(column, justify="right")
    moved = (found.table["recommended"] - found.table["planned"]).abs()
    rows = found.table.loc[moved.sort_values(ascending=False, kind="stable").index]
    for row in rows.head(_MOST_ROWS).to_dict("records"):
        table.add_row(
            row["entity"],
            row["channel"],
            significant(row["planned"], 4),
            significant(row["recommended"], 4),
            f"{row['change']:+.0%}{' !' if row['extrapolates'] else ''}",
            f"{significant(row['planned_marginal_mean'], 3)} → "
            f"{significant(row['recommended_marginal_mean'], 3)}",
        )
    console.print(table, markup=False)
    if len(rows) > _MOST_ROWS:
        console.print(f"and {len(rows) - _MOST_ROWS:,} more", markup=False)
    gain, planned = facts["gain"], facts["planned"]
    console.print(
        f"\ngain {significant(gain['mean'], 3)} ({significant(gain['lower'], 3)} to "
        f"{significant(gain['upper'], 3)}) on {significant(planned['mean'], 4)}; probability of a "
        f"gain {found.probability:.0%}; intervals are {100 * found.interval.prob:g}% "
        f"{found.interval.kind.upper()}",
        markup=False,
        soft_wrap=True,
    )
    for finding in found.findings:
        console.print(finding.render(), markup=False, soft_wrap=True)
