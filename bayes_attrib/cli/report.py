"""Commands about a finished run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bayes_attrib.cli.app import EXIT_NOT_CONVERGED, app, print_json
from bayes_attrib.cli.options import JsonOption, LocaleOption, QuietOption


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    *,
    formats: Annotated[
        str, typer.Option("--format", help="What to render: html, xlsx, or several with commas.")
    ] = "html",
    journeys: Annotated[
        Path | None,
        typer.Option(help="Folder that `journeys` wrote: heuristics to show beside the posterior."),
    ] = None,
    locale: LocaleOption = None,
    allow_unconverged: Annotated[
        bool,
        typer.Option("--allow-unconverged", help="Also what is withheld if the fit failed."),
    ] = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Render a run again, without refitting."""
    from bayes_attrib.report import RunFolder
    from bayes_attrib.report.machine_summary import machine_summary
    from bayes_attrib.workflow import write_reports
    from bayes_attrib.workflow.journeys_beside import put_journeys_beside

    if journeys is not None:
        put_journeys_beside(run, journeys)
    written = write_reports(
        run,
        [name.strip() for name in formats.split(",")],
        locale=locale,
        allow_unconverged=allow_unconverged,
    )
    if json_output:
        files = [str(file) for file in written.files]
        summary = machine_summary(RunFolder.load(run))
        print_json({**summary, "files": files, "withheld": list(written.withheld)})
    elif not quiet:
        for file in written.files:
            print(file)
    if written.withheld:
        print(
            f"withheld: {', '.join(written.withheld)}, because the fit did not converge; "
            "--allow-unconverged makes it all the same, marked so",
            file=sys.stderr,
        )
        raise typer.Exit(EXIT_NOT_CONVERGED)
