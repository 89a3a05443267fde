"""The command ``roll-forward``: new totals, allocated by the fit of a finished run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bayes_attrib import names
from bayes_attrib.cli.app import EXIT_NOT_CONVERGED, app, print_json
from bayes_attrib.cli.options import (
    AggregatesOption,
    DataArgument,
    EntitiesOption,
    ExposuresOption,
    JsonOption,
    OverwriteOption,
    QuietOption,
    RepairOption,
    source_of,
)

if TYPE_CHECKING:
    from bayes_attrib.report import RunFolder
    from bayes_attrib.workflow.roll_forward import RolledForward

_HEADLINES = {
    "ok": "the fit still serves",
    "warn": "the fit serves, with a warning",
    "refit": "fit again: the new totals say that the fit no longer serves",
}


@app.command(name="roll-forward")
def roll_forward(
    run: Annotated[Path, typer.Argument(help="Run folder of a finished fit.")],
    data: DataArgument = None,
    *,
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    entities: EntitiesOption = None,
    exposures: ExposuresOption = None,
    aggregates: AggregatesOption = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed; a digest of the inputs by default.")
    ] = None,
    repair: RepairOption = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Allocate new totals by the fit of a run without refitting, and say when to fit again."""
    from bayes_attrib.report import RunFolder
    from bayes_attrib.report.machine_summary import machine_summary
    from bayes_attrib.workflow.roll_forward import roll_forward as roll_run_forward

    source = source_of(data, aggregates, exposures, entities)
    fitted = RunFolder.load(run)
    rolled = roll_run_forward(
        fitted, source, out, repairs=tuple(repair or ()), seed=seed, overwrite=overwrite
    )
    written = RunFolder.load(out)
    if json_output:
        drift = rolled.drift.as_dict()
        kept = ("verdict", "reasons", "joint_test", "reweighting", "unseen")
        print_json({**machine_summary(written), "drift": {key: drift[key] for key in kept}})
    elif not quiet:
        _print(rolled, written)
    for reason in rolled.drift.reasons:
        if reason.outcome != "ok":
            print(f"{reason.outcome}: {reason.message}", file=sys.stderr)
    if written.diagnostics.verdict == "not_converged":
        raise typer.Exit(EXIT_NOT_CONVERGED)


def _print(rolled: RolledForward, written: RunFolder) -> None:
    """Print who allocated what, and whether the fit still serves."""
    from bayes_attrib.report import print_summary

    console, origin = Console(), written.manifest.rolled_forward
    print_summary(written, console)
    if origin is not None:
        console.print(
            f"\nallocated by the fit of {origin.name} ({origin.folder}, {origin.fit_ended}) "
            "without refitting",
            markup=False,
            soft_wrap=True,
        )
    console.print(f"drift: {_HEADLINES[rolled.drift.outcome]}", markup=False)
    for reason in rolled.drift.reasons:
        console.print(f"  {reason.outcome:<5} {reason.message}", markup=False, soft_wrap=True)
    print(f"\nwritten to {rolled.path}; open {rolled.path / names.REPORT_FILE}")
