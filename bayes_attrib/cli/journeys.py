"""The command ``journeys``: credit by heuristics, and totals for a fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayes_attrib.cli.app import app, print_json
from bayes_attrib.cli.options import JsonOption, OverwriteOption, QuietOption

if TYPE_CHECKING:
    from bayes_attrib.workflow.journeys_run import JourneyRun


@app.command()
def journeys(
    data: Annotated[Path, typer.Argument(help="Folder with the tables touches and conversions.")],
    *,
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    spec: Annotated[
        Path | None,
        typer.Option(help="Spec of journeys, a TOML file; defaults where it is not given."),
    ] = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Credit touches by heuristics, and make totals of the same conversions for a fit."""
    from bayes_attrib.spec.journeys import JourneySpec, load_journey_spec
    from bayes_attrib.workflow.journeys_run import run_journeys

    loaded = JourneySpec() if spec is None else load_journey_spec(spec)
    done = run_journeys(data, out, loaded, overwrite=overwrite)
    if json_output:
        print_json({"folder": str(done.folder), **done.record})
    elif not quiet:
        _print(done, loaded.totals.outcome)


def _print(done: JourneyRun, outcome: str) -> None:
    from bayes_attrib import names
    from bayes_attrib.report.characters import terminal_label

    counts = done.record["counts"]
    print(
        f"{done.folder}: {counts['conversions']:,} conversions, {counts['touches']:,} touches, "
        f"{counts['converting_journeys']:,} converting journeys, "
        f"{counts['null_journeys']:,} null journeys"
    )
    rows = done.credit[(done.credit["outcome"] == outcome) & (done.credit["level"] == names.ENTITY)]
    methods = list(dict.fromkeys(rows["method"]))
    labels = [terminal_label(name) for name in dict.fromkeys(rows["name"])]
    width = max(map(len, labels))
    print(f"share of {outcome}, in percent")
    print(" " * width, *(f"{method:>12}" for method in methods))
    shares = rows["share"].to_numpy().reshape(len(methods), len(labels))
    for position, label in enumerate(labels):
        print(f"{label:<{width}}", *(f"{100 * share:12.1f}" for share in shares[:, position]))
    for finding in done.findings:
        print(finding.render())
    print(done.record["causal_status"])
    print(f"next: bayes-attrib fit {done.folder}/data/model.toml {done.folder}/data --out FIT")
