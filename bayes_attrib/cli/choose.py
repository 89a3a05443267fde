"""The command ``choose``: say which family the data support."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bayes_attrib.cli.app import EXIT_INTERRUPTED, EXIT_NOT_CONVERGED, app, print_json
from bayes_attrib.cli.options import (
    AggregatesOption,
    DataArgument,
    EntitiesOption,
    ExposuresOption,
    JsonOption,
    LiftTestsOption,
    OverwriteOption,
    QuietOption,
    RepairOption,
    SpecArgument,
    source_of,
)
from bayes_attrib.errors import InterruptedFitError
from bayes_attrib.inputs import read_tables
from bayes_attrib.spec import load_spec

_SUFFIXES = (".json", ".csv")


@app.command()
def choose(
    spec: SpecArgument,
    data: DataArgument = None,
    *,
    family: Annotated[
        list[str] | None,
        typer.Option(help="Candidate, as NAME or NAME:LEVEL; repeat for more than one."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write, .json (everything) or .csv (the table).")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    draws: Annotated[int | None, typer.Option(help="Draws kept per chain.")] = None,
    tune: Annotated[int | None, typer.Option(help="Tuning draws per chain.")] = None,
    chains: Annotated[int | None, typer.Option(help="Number of chains.")] = None,
    aggregates: AggregatesOption = None,
    exposures: ExposuresOption = None,
    entities: EntitiesOption = None,
    lift_tests: LiftTestsOption = None,
    repair: RepairOption = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Fit candidate families and say which one the data support, and what that changes."""
    from bayes_attrib.cli.fit import with_inference
    from bayes_attrib.inference import ProgressBar, Silent
    from bayes_attrib.report.choice_terminal import print_choice
    from bayes_attrib.workflow.candidates import parse_candidates, reading_spec
    from bayes_attrib.workflow.choose import choose_family, write_choice

    _check_out(out, overwrite=overwrite)
    source = source_of(data, aggregates, exposures, entities, lift_tests)
    wanted = {"seed": seed, "draws": draws, "tune": tune, "chains": chains}
    model = with_inference(load_spec(spec), wanted)
    candidates = parse_candidates(family, model) if family else None
    tables = read_tables(reading_spec(model), source, repairs=tuple(repair or ()))
    errors = Console(stderr=True)
    progress = Silent() if quiet or json_output else ProgressBar(errors)
    try:
        choice = choose_family(tables, model, candidates, progress=progress)
    except InterruptedFitError:
        errors.print("interrupted: nothing is kept; start the command again", markup=False)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if out is not None:
        write_choice(choice, out)
    if json_output:
        print_json(choice.as_dict())
    elif not quiet:
        print_choice(choice, model, Console())
    if choice.preferred is None:
        raise typer.Exit(EXIT_NOT_CONVERGED)


def _check_out(out: Path | None, *, overwrite: bool) -> None:
    """Refuse a file that cannot be written before hours are spent."""
    if out is None:
        return
    if out.suffix not in _SUFFIXES:
        raise typer.BadParameter(f"--out {out}: the file ends in {' or '.join(_SUFFIXES)}")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"--out {out}: there is no folder {out.parent}")
    if out.exists() and not overwrite:
        raise typer.BadParameter(f"--out {out} exists; add --overwrite to replace it")
