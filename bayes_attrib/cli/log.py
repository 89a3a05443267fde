"""The command ``log``: a finished run into MLflow."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bayes_attrib.cli.app import EXIT_FAILED, app, print_json
from bayes_attrib.cli.options import JsonOption, QuietOption


@app.command()
def log(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    *,
    tracking_uri: Annotated[
        str | None, typer.Option(help="Where to log; MLFLOW_TRACKING_URI by default.")
    ] = None,
    experiment: Annotated[
        str | None, typer.Option(help="Experiment; the name of the model by default.")
    ] = None,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Log a finished run to MLflow: parameters, metrics, tags and files."""
    from bayes_attrib.workflow.log_run import TrackingError, log_run

    try:
        logged = log_run(run, tracking_uri=tracking_uri, experiment=experiment)
    except TrackingError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_FAILED) from None
    if json_output:
        print_json({"run": str(run), **asdict(logged)})
    elif not quiet:
        print(
            f"{run} is run {logged.run_id} at {logged.tracking_uri}: {logged.params} parameters, "
            f"{logged.metrics} metrics, {logged.artifacts} files"
        )
