"""Commands about a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bayes_attrib.cli.app import app
from bayes_attrib.cli.options import QuietOption


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
