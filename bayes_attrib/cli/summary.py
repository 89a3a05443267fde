"""The command ``summary``: a finished run in a few words, or in one JSON object."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bayes_attrib.cli.app import app, print_json
from bayes_attrib.cli.options import JsonOption


@app.command()
def summary(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    *,
    top: Annotated[int, typer.Option(min=1, help="Most entities to list.")] = 10,
    json_output: JsonOption = False,
) -> None:
    """Say what a finished run found, for people or, with --json, for programs."""
    from bayes_attrib.report import RunFolder, print_summary
    from bayes_attrib.report.machine_summary import machine_summary

    found = RunFolder.load(run)
    if json_output:
        print_json(machine_summary(found, top=top))
    else:
        print_summary(found, Console(), top=top)
