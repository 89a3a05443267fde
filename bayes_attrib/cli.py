"""The command line: what scripts, schedulers and people type.

Exit status: 0 done, 1 the fit failed, 2 the spec or the data is wrong, 3 the fit did not converge,
130 interrupted. Results go to standard output, progress and complaints to standard error.
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from bayes_attrib.errors import (
    BayesAttribError,
    FindingsError,
    InterruptedFitError,
    RunFolderError,
)
from bayes_attrib.inputs import DataSource, Repair, read_tables
from bayes_attrib.spec import ModelSpec, load_spec

if TYPE_CHECKING:
    from bayes_attrib.workflow import FitPlan

EXIT_FAILED, EXIT_INPUT, EXIT_NOT_CONVERGED, EXIT_INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="bayes-attrib",
    help="Bayesian attribution inside known totals: who earned what, and how sure are we?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

SpecArgument = Annotated[Path, typer.Argument(help="Spec of the model, a TOML file.")]
DataArgument = Annotated[
    Path | None, typer.Argument(help="Folder with the tables aggregates, exposures, entities.")
]
AggregatesOption = Annotated[Path | None, typer.Option(help="This table instead of the folder's.")]
ExposuresOption = Annotated[Path | None, typer.Option(help="This table instead of the folder's.")]
EntitiesOption = Annotated[Path | None, typer.Option(help="This table instead of the folder's.")]
RepairOption = Annotated[
    list[Repair] | None, typer.Option(help="Repair of the tables to carry out and record.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]


class TableFormat(StrEnum):
    """File format of tables."""

    CSV = "csv"
    PARQUET = "parquet"


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
def validate(
    spec: SpecArgument,
    data: DataArgument = None,
    *,
    aggregates: AggregatesOption = None,
    exposures: ExposuresOption = None,
    entities: EntitiesOption = None,
    repair: RepairOption = None,
    json_output: JsonOption = False,
) -> None:
    """Check a spec and its tables and print what was found; sample nothing."""
    source = _source(data, aggregates, exposures, entities)
    loaded = load_spec(spec)
    read = read_tables(loaded, source, repairs=tuple(repair or ()))
    found = read.data
    if json_output:
        _print_json(
            {
                "valid": True,
                "spec_digest": loaded.digest,
                "n_aggregates": found.n_aggregates,
                "n_entities": found.n_entities,
                "n_edges": found.n_edges,
                "grand_total": found.grand_total,
                "findings": [_plain(finding) for finding in read.findings],
            }
        )
        return
    print(
        f"valid: {found.n_aggregates:,} aggregates with a total of {found.grand_total:,.12g}, "
        f"{found.n_entities:,} entities, {found.n_edges:,} exposures"
    )
    for finding in read.findings:
        print(finding.render())


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
    aggregates: AggregatesOption = None,
    exposures: ExposuresOption = None,
    entities: EntitiesOption = None,
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
            aggregates,
            exposures,
            entities,
        ]
        if any(value is not None for value in changed) or repair or overwrite:
            raise typer.BadParameter("--resume takes everything from the run; give nothing else")
        _fit(FitPlan.load(resume), resume, quiet=quiet, json_output=json_output)
        return
    if spec is None or out is None:
        raise typer.BadParameter("give SPEC, DATA and --out RUN, or --resume RUN")
    wanted = {"method": method, "seed": seed, "draws": draws, "tune": tune, "chains": chains}
    plan = FitPlan(
        spec=_with_inference(load_spec(spec), wanted),
        source=_source(data, aggregates, exposures, entities),
        repairs=tuple(repair or ()),
    )
    _fit(plan, out, overwrite=overwrite, quiet=quiet, json_output=json_output)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    output_format: Annotated[
        Literal["html"], typer.Option("--format", help="What to render.")
    ] = "html",
    quiet: QuietOption = False,
) -> None:
    """Render a run again, without refitting."""
    from bayes_attrib.workflow import write_report

    page = write_report(run)
    if not quiet:
        print(f"{output_format}: {page}")


@app.command()
def simulate(
    scenario: Annotated[str, typer.Argument(help="hcp_brick or mmm_to_mta.")],
    *,
    out: Annotated[Path, typer.Option(help="Data folder to write.")],
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Option of the scenario; repeatable."),
    ] = None,
    table_format: Annotated[TableFormat, typer.Option("--format")] = TableFormat.CSV,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a data folder with known truth."""
    from bayes_attrib.simulation import simulate as simulate_tables
    from bayes_attrib.simulation import write_tables

    tables = simulate_tables(scenario, seed=seed, options=_options(settings or []))
    write_tables(tables, out, format=table_format.value, overwrite=overwrite)
    if not quiet:
        print(
            f"{out}: {len(tables.aggregates):,} aggregates, {len(tables.entities):,} entities, "
            f"{len(tables.exposures):,} exposures"
        )


def _fit(
    plan: FitPlan, run: Path, *, quiet: bool, json_output: bool, overwrite: bool = False
) -> None:
    """Fit, report and leave with the status that the verdict asks for."""
    from bayes_attrib.inference import ProgressBar, Silent
    from bayes_attrib.report import RunFolder, print_summary
    from bayes_attrib.workflow import fit_to_folder

    errors = Console(stderr=True)
    progress = Silent() if quiet or json_output else ProgressBar(errors)
    try:
        fitted = fit_to_folder(plan, run, overwrite=overwrite, progress=progress)
    except InterruptedFitError as stop:
        errors.print(f"{stop}; go on with: bayes-attrib fit --resume {run}", markup=False)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if json_output:
        _print_json({"run": str(run), "verdict": fitted.diagnostics.verdict})
    elif not quiet:
        print_summary(RunFolder.load(run), Console())
        print(f"\nwritten to {run}; open {run / 'report.html'}")
    if fitted.diagnostics.verdict == "not_converged":
        raise typer.Exit(EXIT_NOT_CONVERGED)


def _source(
    data: Path | None, aggregates: Path | None, exposures: Path | None, entities: Path | None
) -> DataSource:
    if data is None and (aggregates is None or exposures is None):
        raise typer.BadParameter("give DATA, a folder, or --aggregates FILE and --exposures FILE")
    return DataSource(data, aggregates, exposures, entities)


def _with_inference(spec: ModelSpec, wanted: dict[str, Any]) -> ModelSpec:
    """Return the spec with some of its inference settings changed, checked like the spec itself."""
    from bayes_attrib.spec import parse_plain

    given = {key: value for key, value in wanted.items() if value is not None}
    plain = spec.model_dump(mode="json")
    plain["inference"] |= given
    return parse_plain(plain, source="the command line") if given else spec


def _options(settings: list[str]) -> dict[str, object]:
    """Read KEY=VALUE pairs; values are JSON where they can be, else text."""
    options: dict[str, object] = {}
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign:
            raise typer.BadParameter(f"--set wants KEY=VALUE; got {setting!r}")
        try:
            options[key.strip()] = json.loads(text)
        except json.JSONDecodeError:
            options[key.strip()] = text
    return options


def _plain(finding: Any) -> dict[str, str]:
    fields = ("code", "severity", "where", "message", "remedy")
    return {field: getattr(finding, field) for field in fields}


def _print_json(content: dict[str, Any]) -> None:
    print(json.dumps(content, ensure_ascii=False))


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its status.

    Parameters
    ----------
    arguments : list of str, optional
        Words of the command line; those of the process where they are not given.
    """
    try:
        app(arguments, standalone_mode=True)
    except (FindingsError, RunFolderError) as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_INPUT)
    except BayesAttribError as error:
        print(f"the fit failed: {error}", file=sys.stderr)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
