"""The command ``mmm``: from weekly spend to a mix model's contributions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayes_attrib.cli.app import EXIT_NOT_CONVERGED, app, print_json
from bayes_attrib.cli.options import JsonOption, OverwriteOption, QuietOption

if TYPE_CHECKING:
    from bayes_attrib.mmm_fit.schema import MmmSpec
    from bayes_attrib.workflow.mmm_run import MmmRun


@app.command()
def mmm(
    spec: Annotated[Path, typer.Argument(help="Spec of the mix model, a TOML file.")],
    data: Annotated[
        Path, typer.Argument(help="Folder with series.csv (and lift_tests.csv), or the file.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    future: Annotated[
        Path | None, typer.Option(help="Planned spend to forecast: the same columns, no target.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the sampler; the same draws within one process.")
    ] = None,
    draws: Annotated[int | None, typer.Option(help="Draws kept per chain.")] = None,
    tune: Annotated[int | None, typer.Option(help="Tuning draws per chain.")] = None,
    chains: Annotated[int | None, typer.Option(help="Number of chains.")] = None,
    validation: Annotated[
        bool, typer.Option(help="Refit without the last periods to score predictions.")
    ] = True,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Fit a marketing mix model with pymc-marketing; its fit goes into import-mmm."""
    from bayes_attrib.mmm_fit.schema import MmmSpec
    from bayes_attrib.mmm_fit.upstream import upstream
    from bayes_attrib.spec.load import load_closed
    from bayes_attrib.workflow.mmm_run import run_mmm

    changes = {"seed": seed, "draws": draws, "tune": tune, "chains": chains}
    chosen = _changed(load_closed(spec, MmmSpec), changes, validation=validation)
    upstream()
    done = run_mmm(
        chosen,
        data,
        out,
        future=future,
        overwrite=overwrite,
        progress=lambda text: None if quiet else print(text, file=sys.stderr, flush=True),
    )
    if json_output:
        print_json({"folder": str(done.folder), **done.summary})
    elif not quiet:
        _print(done, chosen)
    if done.diagnostics.verdict == "not_converged":
        raise typer.Exit(EXIT_NOT_CONVERGED)


def _changed(spec: MmmSpec, changes: dict[str, int | None], *, validation: bool) -> MmmSpec:
    plain = spec.model_dump(mode="json")
    plain["inference"] |= {key: value for key, value in changes.items() if value is not None}
    if not validation:
        plain["validation"] |= {"holdout": 0.0, "origins": 0}
    return type(spec).model_validate(plain)


def _print(done: MmmRun, spec: MmmSpec) -> None:
    from bayes_attrib.report.characters import terminal_label
    from bayes_attrib.report.language import ENGLISH
    from bayes_attrib.report.mmm_page.rows import amount_spread, share_spread, spread

    prob = f"{100 * spec.report.interval.prob:g}% intervals"
    print(f"{done.folder}: verdict {done.diagnostics.verdict}; means with {prob}")
    for row in done.summary["channel_results"]:
        told = (
            f"  {row['channel']}: contribution {amount_spread(row, 'contribution', ENGLISH)}, "
            f"share {share_spread(row, ENGLISH)}, ROAS {spread(row, 'roas', ENGLISH)}, "
            f"marginal {spread(row, 'marginal_roas', ENGLISH)}"
        )
        print(terminal_label(told))
    for finding in done.diagnostics.findings:
        print(finding.render())
    if done.diagnostics.verdict != "ok":
        for check in done.diagnostics.checks:
            if check.status != "ok":
                print(
                    f"{check.status} {check.name}: {check.value} "
                    f"(should be {check.comparison} {check.threshold:g}); {check.detail}"
                )
    print(f"next: bayes-attrib import-mmm {done.folder}/mmm.nc --delivery FILE --out DATA")
