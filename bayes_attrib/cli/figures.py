"""The command ``figures``: pictures of a finished run for slides and papers."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bayes_attrib.cli.app import EXIT_INPUT, app, print_json
from bayes_attrib.cli.options import JsonOption, LocaleOption, QuietOption


class FigureFormat(StrEnum):
    """File format of figures."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"


class FigureTheme(StrEnum):
    """Colours of figures."""

    LIGHT = "light"
    DARK = "dark"


@app.command()
def figures(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    file_format: Annotated[
        FigureFormat, typer.Option("--format", help="Format of the files.")
    ] = FigureFormat.PNG,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Name of a figure, such as forest; may be given several times."),
    ] = None,
    theme: Annotated[FigureTheme, typer.Option(help="Colours.")] = FigureTheme.LIGHT,
    locale: LocaleOption = None,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Draw the figures of a finished run; those that do not apply are named with the reason."""
    from bayes_attrib.workflow.figures import write_figures

    written = write_figures(
        run,
        out,
        only=only or (),
        file_format=file_format.value,
        locale=locale,
        theme=theme.value,
    )
    if json_output:
        files = [str(file) for file in written.files]
        print_json({"run": str(run), "files": files, "left_out": written.left_out})
    elif not quiet:
        for file in written.files:
            print(file)
    for name, reason in written.left_out.items():
        print(f"no figure {name}: {reason}", file=sys.stderr)
    if only and written.left_out:  # it was asked for by its name
        raise typer.Exit(EXIT_INPUT)
