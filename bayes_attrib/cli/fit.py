"""Commands that sample: ``fit`` and ``demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    source_of,
)
from bayes_attrib.cli.prior_only import draw_prior
from bayes_attrib.errors import InterruptedFitError
from bayes_attrib.spec import ModelSpec, load_spec

if TYPE_CHECKING:
    from bayes_attrib.workflow import FitPlan


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Run folder to write.")] = Path("runs/demo"),
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Run the main job end to end on real data that ships with the package."""
    from bayes_attrib.demo import demo_plan

    with demo_plan() as plan:
        _fit(plan, out, overwrite=True, quiet=quiet, json_output=json_output)


@app.command()
def fit(
    spec: Annotated[Path | None, typer.Argument(help="Spec of the model, a TOML file.")] = None,
    data: DataArgument = None,
    *,
    out: Annotated[Path | None, typer.Option(help="Run folder to write.")] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Interrupted run folder to go on with.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="Method of inference.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    draws: Annotated[int | None, typer.Option(help="Draws kept per chain.")] = None,
    tune: Annotated[int | None, typer.Option(help="Tuning draws per chain.")] = None,
    chains: Annotated[int | None, typer.Option(help="Number of chains.")] = None,
    time_budget: Annotated[
        float | None, typer.Option(help="Method auto: seconds that sampling may take.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Approximations: compare with sampling on a block of the data."
        ),
    ] = False,
    prior_only: Annotated[
        bool, typer.Option("--prior-only", help="Fit nothing; say what the priors claim.")
    ] = False,
    aggregates: AggregatesOption = None,
    exposures: ExposuresOption = None,
    entities: EntitiesOption = None,
    lift_tests: LiftTestsOption = None,
    repair: RepairOption = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Fit posterior and baselines and write the run folder."""
    from bayes_attrib.workflow import FitPlan

    if resume is not None:
        changed = [
            spec,
            data,
            out,
            method,
            seed,
            draws,
            tune,
            chains,
            time_budget,
            aggregates,
            exposures,
            entities,
            lift_tests,
        ]
        if (
            any(value is not None for value in changed)
            or repair
            or overwrite
            or check
            or prior_only
        ):
            raise typer.BadParameter("--resume takes everything from the run; give nothing else")
        _fit(FitPlan.load(resume), resume, quiet=quiet, json_output=json_output)
        return
    if spec is None or out is None:
        raise typer.BadParameter("give SPEC, DATA and --out RUN, or --resume RUN")
    wanted = {
        "method": method,
        "seed": seed,
        "draws": draws,
        "tune": tune,
        "chains": chains,
        "time_budget": time_budget,
    }
    plan = FitPlan(
        spec=with_inference(load_spec(spec), wanted),
        source=source_of(data, aggregates, exposures, entities, lift_tests),
        repairs=tuple(repair or ()),
    )
    if prior_only:
        if check:
            raise typer.BadParameter("--prior-only fits nothing, so there is nothing to --check")
        unused = {
            "method": method,
            "tune": tune,
            "chains": chains,
            "time_budget": time_budget,
        }
        draw_prior(
            plan,
            out,
            sampler_options=unused,
            overwrite=overwrite,
            quiet=quiet,
            json_output=json_output,
        )
        return
    _fit(plan, out, overwrite=overwrite, check=check, quiet=quiet, json_output=json_output)


def _fit(
    plan: FitPlan,
    run: Path,
    *,
    quiet: bool,
    json_output: bool,
    overwrite: bool = False,
    check: bool = False,
) -> None:
    """Fit, report and leave with the status that the verdict asks for."""
    from bayes_attrib.inference import ProgressBar, Silent
    from bayes_attrib.report import RunFolder, print_summary
    from bayes_attrib.report.machine_summary import machine_summary
    from bayes_attrib.workflow import fit_to_folder

    errors = Console(stderr=True)
    progress = Silent() if quiet or json_output else ProgressBar(errors)
    try:
        fitted = fit_to_folder(plan, run, overwrite=overwrite, check=check, progress=progress)
    except InterruptedFitError as stop:
        errors.print(f"{stop}; go on with: bayes-attrib fit --resume {run}", markup=False)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if json_output:
        print_json(machine_summary(RunFolder.load(run)))
    elif not quiet:
        print_summary(RunFolder.load(run), Console())
        print(f"\nwritten to {run}; open {run / 'report.html'}")
    if fitted.diagnostics.verdict == "not_converged":
        raise typer.Exit(EXIT_NOT_CONVERGED)


def with_inference(spec: ModelSpec, wanted: dict[str, Any]) -> ModelSpec:
    """Return the spec with some of its inference settings changed, checked like the spec itself."""
    from bayes_attrib.spec import parse_plain

    given = {key: value for key, value in wanted.items() if value is not None}
    plain = spec.model_dump(mode="json")
    plain["inference"] |= given
    source = f"{spec.name} with the options of the command line"
    return parse_plain(plain, source=source) if given else spec
